#!/usr/bin/env bash
# make-image.sh OUT: an OCI layout OUT of three gzip layers and more than 1 GB uncompressed, from Debian packages, without an
# engine. Needs root, and: apt-get install mmdebstrap umoci rsync. About four minutes on two cores.
set -euo pipefail
out=${1:?usage: make-image.sh OUT}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000

layers=(
  "ca-certificates"
  "ca-certificates,build-essential,cmake,git"
  "ca-certificates,build-essential,cmake,git,python3-dev,python3-numpy,nodejs,default-jdk-headless,clang"
)

rm -rf "$out"
umoci init --layout "$out"
umoci new --image "$out:bench"
umoci unpack --image "$out:bench" "$work/bundle"
for packages in "${layers[@]}"; do
  mmdebstrap --quiet --mode=root --variant=minbase --format=directory --include="$packages" bookworm "$work/root"
  rsync -aHAX --delete "$work/root/" "$work/bundle/rootfs/"
  rm -rf "$work/root"
  umoci repack --refresh-bundle --image "$out:bench" \
    --history.created_by "RUN apt-get install -y --no-install-recommends ${packages//,/ }" "$work/bundle"
done
umoci config --image "$out:bench" --config.user 1000:1000 --config.cmd /usr/bin/python3
umoci gc --layout "$out"
