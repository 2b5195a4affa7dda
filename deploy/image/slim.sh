#!/bin/sh
# Takes out of an environment what no process of certmail reads: symbols for debuggers, tests and tools of libraries,
# and the customs of languages that no mail is written in.
set -eu
site=$(echo "$1"/lib/python3.*/site-packages)

# Libraries beside a wheel (*.libs) were rewritten by its maker, and strip would break them.
find "$site" -name '*.so' ! -path '*.libs/*' -exec strip --strip-unneeded {} +

rm -rf "$site"/tornado/test "$site"/regex/tests "$site"/celery/contrib/testing "$site"/sqlalchemy/testing
# Databases that certmail does not know, and names of holidays in other languages than plans have them in.
rm -rf "$site"/sqlalchemy/dialects/mssql "$site"/sqlalchemy/dialects/mysql "$site"/sqlalchemy/dialects/oracle
find "$site/holidays/locale" -mindepth 1 -maxdepth 1 ! -name en_US -exec rm -rf {} +

# Of the languages that a traceback may be coloured in, Python.
find "$site/pygments/lexers" -name '*.py' ! -name __init__.py ! -name _mapping.py ! -name python.py ! -name unicode.py -delete

# Of the commands, those that are typed; the rest are tools of libraries.
find "$1/bin" -type f ! -name certmail ! -name celery -delete

# A catalogue de.toml is written in by German rules of each country: de.dat, de_AT.dat …
keep="root"
for catalogue in "$site"/certmail_config/templates/catalogues/*.toml; do
  language=$(basename "$catalogue" .toml)
  keep="$keep ${language%%-*}"
done
for rules in "$site"/babel/locale-data/*.dat; do
  language=$(basename "$rules" .dat)
  case " $keep " in
    *" ${language%%_*} "*) ;;
    *) rm "$rules" ;;
  esac
done
