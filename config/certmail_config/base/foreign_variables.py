"""Variables that libraries of ours would read, though they are meant for other applications.

Certmail's settings begin with CERTMAIL_ and say all that it needs. Its processes take the variables
below out of their environment when they start, and so do not hand them on. An upstream application
that imports certmail keeps its environment: there everything is given to the libraries as
arguments, which win.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Variables:
    """Some variables, who reads them, and why they are treated so.

    They are written as a person would, and as a pattern of the whole name.
    """

    shown: str
    pattern: str
    reader: str
    why: str

    def fits(self, name: str) -> bool:
        """Whether this is one of them."""
        return re.fullmatch(self.pattern, name) is not None


TAKEN_OUT: Final = (
    Variables(
        "`CELERY_…`, `DJANGO_SETTINGS_MODULE`",
        r"CELERY_.*|DJANGO_SETTINGS_MODULE",
        "Celery",
        "They would name another broker, result backend, configuration or application: CERTMAIL_REDIS_URL names the broker.",
    ),
    Variables(
        "`KOMBU_…`",
        r"KOMBU_.*",
        "kombu",
        "They would write what goes over connections into logs.",
    ),
    Variables(
        "`FLOWER_…`",
        r"FLOWER_.*",
        "Flower",
        "They would let in whom CERTMAIL_FLOWER_BASIC_AUTH does not.",
    ),
    Variables(
        "`PROMETHEUS_MULTIPROC_DIR`",
        r"PROMETHEUS_MULTIPROC_DIR|prometheus_multiproc_dir",
        "prometheus-client",
        "Our figures, and Flower's, would be mixed with those of the application that the directory belongs to.",
    ),
    Variables(
        "`PGHOST`, `PGHOSTADDR`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGSERVICE`, `PGOPTIONS`, `PGTARGETSESSIONATTRS`, "
        "`PGLOADBALANCEHOSTS`, `PGCLIENTENCODING`, `PGDATESTYLE`, `PGTZ`, `PGGEQO`, `PSYCOPG_…`",
        r"PG(HOST|HOSTADDR|PORT|DATABASE|USER|SERVICE|OPTIONS|TARGETSESSIONATTRS|LOADBALANCEHOSTS|CLIENTENCODING|DATESTYLE|TZ|GEQO)"
        r"|PSYCOPG_.*",
        "libpq, psycopg",
        "They would lead to another database or change how it answers: CERTMAIL_DATABASE_URL says which, and who asks.",
    ),
    Variables(
        "`SSLKEYLOGFILE`",
        r"SSLKEYLOGFILE",
        "Python's ssl",
        "The keys of every connection would be written into a file, and with them all that goes over it could be read.",
    ),
)
LEFT: Final = (
    Variables(
        "`SSL_CERT_FILE`, `SSL_CERT_DIR`",
        r"SSL_CERT_(FILE|DIR)",
        "OpenSSL",
        "Read: whom this machine trusts. CERTMAIL_GOOGLE_CA_FILE takes their place for Google.",
    ),
    Variables(
        "`PGPASSFILE`, `PGPASSWORD`, `PGSSL…`, `PGSERVICEFILE`, `PGREQUIREAUTH`, `PGCHANNELBINDING`, `PGKRBSRVNAME`, `PGGSS…`",
        r"PG(PASSFILE|PASSWORD|SSL.*|SERVICEFILE|REQUIREAUTH|CHANNELBINDING|KRBSRVNAME|GSS.*)",
        "libpq",
        "Read, where CERTMAIL_DATABASE_URL does not say it: how certmail proves who it is, and whom it trusts.",
    ),
    Variables(
        "`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, `NETRC`",
        r"(?i:https?_proxy|all_proxy|no_proxy)|NETRC",
        "aiohttp",
        "Not read: CERTMAIL_GOOGLE_PROXY says how Google is reached. But who is told of traces is reached by them.",
    ),
    Variables(
        "`OTEL_…`",
        r"OTEL_.*",
        "OpenTelemetry",
        "Read, where certmail[otel] is installed: whom to tell of traces, and of how many. Without an address in "
        "OTEL_EXPORTER_OTLP_ENDPOINT nobody is told, and nothing of it is imported.",
    ),
    Variables(
        "`GOOGLE_…`",
        r"GOOGLE_.*",
        "google-auth",
        "Not read: certmail only signs with it.",
    ),
    Variables(
        "`AIOHTTP_…`, `YARL_NO_EXTENSIONS`, `MULTIDICT_NO_EXTENSIONS`, `TORNADO_EXTENSION`",
        r"AIOHTTP_.*|(YARL|MULTIDICT)_NO_EXTENSIONS|TORNADO_EXTENSION",
        "aiohttp, yarl, multidict, tornado",
        "Read: they cost time, and change nothing else.",
    ),
    Variables(
        "`REDIS_…`, `SQLALCHEMY_…`, `ALEMBIC_CONFIG`",
        r"REDIS_.*|SQLALCHEMY_.*|ALEMBIC_CONFIG",
        "nobody",
        "Not read: neither redis-py nor SQLAlchemy reads the environment, and of Alembic only its command line.",
    ),
)


def taken_out(names: Iterable[str]) -> tuple[str, ...]:
    """Which of these variables are somebody else's and would be followed; pure."""
    return tuple(sorted(name for name in names if any(each.fits(name) for each in TAKEN_OUT)))


_taken: set[str] = set()


def take_out(environment: MutableMapping[str, str]) -> None:
    """Free a process of ours from them; before it opens anything."""
    for name in taken_out(environment):
        del environment[name]
        _taken.add(name)


def were_taken_out() -> tuple[str, ...]:
    """The variables that this process was given and does without."""
    return tuple(sorted(_taken))


REMEDY: Final = (
    "of another application, as it seems: certmail goes by its own settings (CERTMAIL_REDIS_URL, CERTMAIL_DATABASE_URL, …) "
    "and takes no notice."
)


def say_environment(log: logging.Logger, unknown: Sequence[str]) -> None:
    """Tell whoever looks for what they set, by name only: values may be secrets.

    `unknown` begin as ours do, and are no settings.
    """
    if unknown:
        log.warning(
            "unknown_settings",
            extra={"names": unknown, "remedy": "They have no effect in this version."},
        )

    if names := were_taken_out():
        log.info("foreign_environment", extra={"names": names, "remedy": REMEDY})


__all__ = [
    "LEFT",
    "REMEDY",
    "TAKEN_OUT",
    "Variables",
    "say_environment",
    "take_out",
    "taken_out",
    "were_taken_out",
]
