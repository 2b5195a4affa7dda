#!/usr/bin/env bash
# `make image`: builds the image on this machine, without a registry, and runs the demo in it as in production: read-only, not as root.
#
# The base is made of Debian's packages by mmdebstrap, under the name that the Dockerfile says. Where this machine reaches packages
# through a proxy, or an index of its own, apt's and pip's settings say so: they are handed to the build as secrets, and stay in no layer.
# Everything is under .deploy/image, and goes in the end; IMAGE=path keeps the image there as an OCI archive.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
for each in buildah mmdebstrap runc; do command -v "$each" >/dev/null || missing+=("$each"); done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "This needs ${missing[*]}: on Debian, apt-get install --no-install-recommends buildah mmdebstrap runc." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "This needs root: mmdebstrap and buildah make files that belong to others." >&2
  exit 1
fi

work=$PWD/.deploy/image
rm -rf "$work"
mkdir -p "$work/secrets"
export TMPDIR=$work
buildah=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)
trap 'cd /; "${buildah[@]}" rm --all >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

say() { echo "$(date +%T) $*" >&2; }

# What apt and pip of this machine know of its network.
apt-config dump Acquire >"$work/secrets/apt.conf"
: >"$work/secrets/ca.pem"
echo "[global]" >"$work/secrets/pip.conf"
configured() { python3 -m pip config list | sed -n "s/^[^ ]*[.]$1='\(.*\)'\$/\1/p" | tail -n 1; }
for key in index-url proxy trusted-host; do
  value=$(configured "$key")
  [ -z "$value" ] || echo "$key = $value" >>"$work/secrets/pip.conf"
done
authorities=$(configured cert)
if [ -n "$authorities" ]; then
  cp "$authorities" "$work/secrets/ca.pem"
  echo "cert = /run/secrets/ca.pem" >>"$work/secrets/pip.conf"
fi

say "The base, from Debian's packages"
mmdebstrap --quiet --variant=apt --aptopt="$work/secrets/apt.conf" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  bookworm "$work/base.tar"
base=$("${buildah[@]}" from --name base scratch)
"${buildah[@]}" add --quiet "$base" "$work/base.tar" / >/dev/null
"${buildah[@]}" commit --quiet --rm "$base" debian:12-slim >/dev/null
rm "$work/base.tar"

say "The image"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
moment=$(git log -1 --format=%ct 2>/dev/null || echo 0)
"${buildah[@]}" build --isolation chroot --pull=never --format docker --timestamp "$moment" \
  --file deploy/image/Dockerfile --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
  --secret "id=apt.conf,src=$work/secrets/apt.conf" --secret "id=pip.conf,src=$work/secrets/pip.conf" \
  --secret "id=ca.pem,src=$work/secrets/ca.pem" --tag "certmail:$version" . >"$work/build.log" 2>&1 || { tail -n 60 "$work/build.log" >&2; exit 1; }
container=$("${buildah[@]}" from --pull=never "certmail:$version")
root=$("${buildah[@]}" mount "$container")
"${buildah[@]}" inspect --type image "certmail:$version" >"$work/image.json"
say "certmail:$version is $("${buildah[@]}" images --quiet --no-trunc "certmail:$version")"

say "The image, tried: read-only, not as root, without a network"
python3 tests/deploy/try_image.py "$root" "$work/try" "$work/image.json"

if [ -n "${IMAGE:-}" ]; then
  "${buildah[@]}" push --quiet "certmail:$version" "oci-archive:$IMAGE:certmail:$version"
  say "$IMAGE: $(stat --format %s "$IMAGE" | numfmt --to=si)B, compressed"
fi
