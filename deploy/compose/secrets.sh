#!/bin/sh
# Makes the secrets of compose.yaml in ./secrets, each once: what is there is left alone. Keep a copy of vault-keys apart from the stores.
#
# Only root and you reach the folder; inside it the files are readable, since each container reads its own as another user.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
cd secrets

# How certmail is called; CERTMAIL says another way.
certmail() { ${CERTMAIL:-docker run --rm --interactive "${CERTMAIL_IMAGE:-certmail:0.1.0}"} "$@"; }
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# once FILE COMMAND …: what the command says, whole or not at all.
once() {
  file=$1
  shift
  [ ! -e "$file" ] || return 0
  "$@" >"$file.part"
  chmod 0444 "$file.part"
  mv "$file.part" "$file"
  echo "made secrets/$file" >&2
}

once postgres-password random
once database-url echo "postgresql+psycopg://certmail:$(cat postgres-password)@postgres:5432/certmail"
once vault-keys certmail vault keygen
once operator-password random
once flower-password random
once flower-basic-auth echo "operator:$(cat flower-password)"
once grafana-password random

# In Redis each has a user of its own, with the rights that it needs (docs/redis-user.md). They may change with certmail: `rm secrets/redis-users`
# before a new version's start makes them anew, and the passwords stay.
passwords() {
  for name in worker gateway flower operator producer; do echo "certmail-$name $(cat "redis-password-$name")"; done
  echo "default $(cat redis-password-default)"
}
users() { passwords | certmail redis acl --aclfile --passwords -; }

once redis-password-default random
for name in worker gateway flower operator producer; do
  once "redis-password-$name" random
  once "redis-url-$name" echo "redis://certmail-$name:$(cat "redis-password-$name")@valkey:6379/0"
done
once redis-users users
