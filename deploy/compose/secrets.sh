#!/bin/sh
# Makes the secrets of compose.yaml in ./secrets, each once: what is there is left alone. Keep a copy of vault-keys apart from the stores.
#
# Only root and you reach the folder; inside it the files are readable, since each container reads its own as another user.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
cd secrets

random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
# Writes what comes in by stdin, whole or not at all.
once() {
  [ ! -e "$1" ] || { cat >/dev/null; return 0; }
  cat >"$1.part"
  chmod 0444 "$1.part"
  mv "$1.part" "$1"
  echo "made secrets/$1" >&2
}

random | once postgres-password
random | once operator-password
random | once grafana-password
random | once flower-password
echo "operator:$(cat flower-password)" | once flower-basic-auth
echo "k$(head -c 4 /dev/urandom | od -An -tx1 | tr -d ' \n'):$(head -c 32 /dev/urandom | base64)" | once vault-keys
echo "postgresql+psycopg://certmail:$(cat postgres-password)@postgres:5432/certmail" | once database-url

# One user with what certmail needs (docs/redis-user.md); all others are shut out.
random | once redis-password
for process in worker gateway flower operator; do
  echo "redis://certmail:$(cat redis-password)@valkey:6379/0" | once "redis-url-$process"
done
{
  echo "user default off"
  echo "user certmail on #$(printf %s "$(cat redis-password)" | sha256sum | cut -d ' ' -f 1) ~{certmail}:*" \
    "&{certmail}:celery:/0.celery.pidbox &{certmail}:celery:/0.celeryev/* +@all -@dangerous +info +config|get +bgrewriteaof"
} | once redis-users
