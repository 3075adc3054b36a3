#!/usr/bin/env bash
# build.sh OUT [--record | --compare] [FAMILY...]: builds the reference images and, if asked, records or compares the baselines
#
# Writes OUT/FAMILY-{single,multi}-stage.oci. Needs no engine and no daemon: buildah builds in chroots, mmdebstrap makes the base,
# as root or as a user with subordinate ids. What is built is kept: run it again to go on where it stopped.
#
#   DATE=2026-01-31   the date of the baselines and of everything in the images (default: the day of the first build into OUT)
#   PLIMSOLL=FILE     the program that records and compares (default: ./run of this repository)
#   MIRROR=URL        where Debian comes from (default: where apt of this machine gets it)
#   PIP_CERT, NODE_EXTRA_CA_CERTS, http_proxy, https_proxy, no_proxy
#                     handed to the builds when they are set: networks that need a certificate or a proxy of their own
#   KEEP=1            keeps the builder's store when all is built
set -euo pipefail

FAMILIES=(generic go rust python node java)
SUITE=bookworm
MINUTES=40 # per image
FREE_KIB=8000000

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/tests/setup.sh"

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

then=
families=()
[ $# -ge 1 ] && [[ $1 != -* ]] || usage
out=$1
shift
for word in "$@"; do
  case $word in
    --record | --compare) then=${word#--} ;;
    *) [ -f "$here/$word/Dockerfile.multi-stage" ] || usage; families+=("$word") ;;
  esac
done
[ ${#families[@]} -gt 0 ] || families=("${FAMILIES[@]}")
PLIMSOLL=${PLIMSOLL:-$root/run}
[[ $PLIMSOLL != */* ]] || PLIMSOLL=$(realpath "$PLIMSOLL")

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$out/.work
# The day on which the first image was built is that of all of them, however often the script is run again.
DATE=${DATE:-$(cat "$out/date" 2>/dev/null || date -u +%F)}
epoch=$(date -u -d "$DATE" +%s)
echo "$DATE" > "$out/date"
say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

# The builder, with a store of its own under OUT.
builder() {
  buildah --root "$work/store" --runroot "$work/run" --storage-driver "$driver" "$@"
}

prepare() {
  need_packages buildah=buildah mmdebstrap=mmdebstrap jq=jq
  [ "$(id -u)" = 0 ] || need_packages newuidmap=uidmap
  mkdir -p "$work/tmp" "$work/log"
  export TMPDIR=$work/tmp
  driver=overlay
  builder info >/dev/null 2>&1 || driver=vfs
}

# sources: where apt of this machine gets Debian, one line of sources.list each; nothing when it does not
sources() {
  if [ -n "${MIRROR:-}" ]; then
    echo "deb $MIRROR $SUITE main"
  else
    apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)|$(CODENAME)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
      sed -n "s/ \([^ ]*\)|$SUITE\(-updates\|-security\)\?\$/ \1/p" | grep ' main$' | sort -u
  fi
}

# base VARIANT: localhost/plimsoll/debian:bookworm, and -slim without documentation
base() {
  local variant=$1 name=localhost/plimsoll/debian:$SUITE options=(--variant=minbase --include=tzdata,usr-is-merged --skip=output/dev)
  if [ "$variant" = slim ]; then
    name+=-slim
    local path
    for path in doc info locale man groff lintian; do options+=(--dpkgopt="path-exclude=/usr/share/$path/*"); done
    options+=(--dpkgopt='path-include=/usr/share/doc/*/copyright')
  fi
  builder inspect --type image "$name" >/dev/null 2>&1 && return 0
  say "base $name"
  local folder=$work/base-$variant lines=()
  mkdir -p "$folder"
  mapfile -t lines < <(sources)
  # As images of Debian are: packages are not kept after they are installed, services are not started, perl is the small one.
  # Empty files are there for what engines mount, or the builder would make them, as programs.
  SOURCE_DATE_EPOCH=$epoch timeout "${MINUTES}m" mmdebstrap "${options[@]}" \
    --customize-hook='printf "%s\n" "APT::Keep-Downloaded-Packages \"false\";" "Dir::Cache::pkgcache \"\";" "Dir::Cache::srcpkgcache \"\";" > "$1/etc/apt/apt.conf.d/keep-nothing"' \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
    --customize-hook='chroot "$1" apt-get purge -qy usrmerge "perl-modules-*" "libgdbm*"' \
    --customize-hook='rm -rf "$1"/var/cache/apt/*.bin "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old "$1"/var/log/*' \
    --customize-hook='for file in hostname hosts resolv.conf; do rm -f "$1/etc/$file"; : > "$1/etc/$file"; done' \
    "$SUITE" "$folder/root.tar" "${lines[@]}" >"$work/log/base-$variant.log" 2>&1 || failed "$work/log/base-$variant.log"
  printf 'FROM scratch\nADD root.tar /\nCMD ["bash"]\n' > "$folder/Dockerfile"
  build "$name" "$folder" "$folder/Dockerfile" "$work/log/base-$variant.log"
  rm -rf "$folder"
}

failed() { tail -n 30 "$1" >&2; say "failed: the whole log is $1"; exit 1; }

# build NAME CONTEXT DOCKERFILE LOG: one layer per instruction, as engines build
build() {
  local options=(--layers --format docker --isolation chroot --pull-never --network host --timestamp "$epoch") variable
  mkdir -p "$work/certificates"
  for variable in PIP_CERT NODE_EXTRA_CA_CERTS; do
    [ -n "${!variable:-}" ] && grep -q "^ARG $variable" "$3" || continue
    cp "${!variable}" "$work/certificates/$variable.pem"
    # A folder that every Debian has, so that nothing of this stays in the image
    options+=(--volume "$work/certificates:/mnt:ro" --build-arg "$variable=/mnt/$variable.pem")
  done
  timeout "${MINUTES}m" nice buildah --root "$work/store" --runroot "$work/run" --storage-driver "$driver" build \
    "${options[@]}" --build-context "shared=$here" -t "$1" -f "$3" "$2" >>"$4" 2>&1 || failed "$4"
}

# export_oci NAME FILE: an OCI archive with gzip layers, made from the builder's own manifest, because conversions to OCI
# drop HEALTHCHECK from the config: here the config keeps every byte
export_oci() {
  local folder=$work/export layout=$work/export/layout digest
  rm -rf "$folder"
  mkdir -p "$layout/blobs/sha256"
  builder push --quiet --format v2s2 "$1" "dir:$folder/dir" >/dev/null
  for digest in $(jq -r '.config.digest, .layers[].digest' "$folder/dir/manifest.json"); do
    [ -f "$layout/blobs/sha256/${digest#sha256:}" ] || mv "$folder/dir/${digest#sha256:}" "$layout/blobs/sha256/"
  done
  jq -cj '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: (.config + {mediaType: "application/vnd.oci.image.config.v1+json"}),
    layers: [.layers[] + {mediaType: "application/vnd.oci.image.layer.v1.tar+gzip"}]}' "$folder/dir/manifest.json" > "$folder/manifest"
  digest=$(sha256sum < "$folder/manifest" | cut -d' ' -f1)
  jq -cnj --arg digest "sha256:$digest" --arg name "$1" --argjson size "$(stat -c %s "$folder/manifest")" '{schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json", manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: $digest, size: $size, annotations: {"org.opencontainers.image.ref.name": $name}}]}' > "$layout/index.json"
  mv "$folder/manifest" "$layout/blobs/sha256/$digest"
  printf '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
  tar -C "$layout" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf "$2.part" oci-layout index.json blobs
  mv "$2.part" "$2"
  rm -rf "$folder"
}

# image FAMILY STAGE: OUT/FAMILY-STAGE-stage.oci, unless it is there
image() {
  local name=$1-$2-stage
  [ -f "$out/$name.oci" ] && return 0
  [ "$(df --output=avail -k "$out" | tail -n 1)" -gt $FREE_KIB ] || { say "$out: less than $FREE_KIB KiB are free"; exit 1; }
  base full
  base slim
  say "image $name"
  : > "$work/log/$name.log"
  build "localhost/plimsoll/$1:$2-stage" "$here/$1/app" "$here/$1/Dockerfile.$2-stage" "$work/log/$name.log"
  export_oci "localhost/plimsoll/$1:$2-stage" "$out/$name.oci"
}

clean_up() {
  [ "${KEEP:-0}" = 1 ] && return 0
  builder umount --all >/dev/null 2>&1 || true
  builder rmi --all --force >/dev/null 2>&1 || true
  if [ "$(id -u)" = 0 ]; then rm -rf "$work"; else buildah unshare rm -rf "$work"; fi
}

prepare
for family in "${families[@]}"; do
  for stage in single multi; do image "$family" "$stage"; done
done
clean_up

different=0
for family in "${families[@]}"; do
  for stage in single multi; do
    baseline=$here/$family/$stage-stage.toml
    case $then in
      record)
        (cd "$root" && "$PLIMSOLL" baseline record "$out/$family-$stage-stage.oci" --family "$family" --stage "$stage" \
          --recipe "policies/baselines/$family/Dockerfile.$stage-stage" --date "$DATE") > "$baseline.part"
        mv "$baseline.part" "$baseline"
        say "recorded $family/$stage-stage.toml"
        ;;
      compare)
        "$PLIMSOLL" baseline diff "$baseline" "$out/$family-$stage-stage.oci" || different=1
        ;;
    esac
  done
done
exit $different
