#!/usr/bin/env bash
# compare.sh LAYOUT [ROUNDS]: wall time and peak memory of `plimsoll check` beside `skopeo copy` + `umoci unpack` on the same OCI
# layout, in turn. Needs root (umoci unpacks with owners), and: apt-get install skopeo umoci time.
set -euo pipefail
layout=${1:?usage: compare.sh LAYOUT [ROUNDS]}
rounds=${2:-3}
cd "$(dirname "$0")/.."
cargo build --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
measure() { # NAME COMMAND...: one line "NAME seconds KiB"
  local name=$1
  shift
  /usr/bin/time -o "$work/time" -f "$name %e %M" "$@" >"$work/out" 2>&1 || [ "$name" = plimsoll ] || { cat "$work/out" >&2; exit 1; }
  # a verdict of fail is exit 1: time then writes a first line about it
  tail -n 1 "$work/time"
}
tag=$(umoci list --layout "$layout" | head -n 1)
for _ in $(seq "$rounds"); do
  measure plimsoll target/release/plimsoll check --no-cache "$layout" --format json
  measure skopeo-copy skopeo copy --quiet "oci:$layout:$tag" "docker-archive:$work/image.tar:bench:latest"
  measure umoci-unpack umoci unpack --image "$layout:$tag" "$work/bundle"
  rm -rf "$work/bundle" "$work/image.tar"
done | sort -k1,1 -k2,2n | awk -v rounds="$rounds" '
  { if ($1 != last) { n = 0; last = $1 } n++; if (n == int((rounds + 1) / 2)) { median[$1] = $2 } if ($3 > peak[$1]) peak[$1] = $3 }
  END {
    for (name in median) printf "%-14s %8.2f s   peak %5d MiB\n", name, median[name], peak[name] / 1024
    printf "skopeo copy + umoci unpack take %.1f times as long as plimsoll check\n", (median["skopeo-copy"] + median["umoci-unpack"]) / median["plimsoll"]
  }'
