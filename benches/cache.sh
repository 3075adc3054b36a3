#!/usr/bin/env bash
# cache.sh IMAGE OTHER [PROGRAM]: processor and wall seconds, and peak memory, of `plimsoll check` without a cache, with a cold one and
# with a warm one; then of OTHER, an image on the same base, without a cache and after the first. Needs: apt-get install time.
set -euo pipefail
image=${1:?usage: cache.sh IMAGE OTHER [PROGRAM]}
other=${2:?usage: cache.sh IMAGE OTHER [PROGRAM]}
cd "$(dirname "$0")/.."
if [ $# -lt 3 ]; then cargo build --release --quiet; fi
program=${3:-target/release/plimsoll}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
measure() { # NAME ARGUMENTS...: the best of three, by processor time
  local name=$1
  shift
  for _ in 1 2 3; do
    [ "$name" != "cold cache" ] || rm -rf "$work/cache"
    /usr/bin/time -o "$work/time" -f "%U %S %e %M" "$program" check --quiet "$@" >/dev/null || true
    tail -n 1 "$work/time" # a verdict of fail is exit 1: time then writes a first line about it
  done | awk -v name="$name" '
    !best || $1 + $2 < best { best = $1 + $2; wall = $3; peak = $4 }
    END { printf "%-32s %6.2f s of processor  %6.2f s  %4d MiB\n", name, best, wall, peak / 1024 }'
}
measure "no cache" "$image" --no-cache
measure "cold cache" "$image" --cache-dir "$work/cache"
measure "warm cache" "$image" --cache-dir "$work/cache"
measure "other image, no cache" "$other" --no-cache
cp -r "$work/cache" "$work/first"
for _ in 1 2 3; do # each time as the second image, not the fourth
  rm -rf "$work/cache"
  cp -r "$work/first" "$work/cache"
  /usr/bin/time -o "$work/time" -f "%U %S %e %M" "$program" check --quiet "$other" --cache-dir "$work/cache" >/dev/null || true
  tail -n 1 "$work/time"
done | awk '
  !best || $1 + $2 < best { best = $1 + $2; wall = $3; peak = $4 }
  END { printf "%-32s %6.2f s of processor  %6.2f s  %4d MiB\n", "other image, after the first", best, wall, peak / 1024 }'
"$program" cache stat --cache-dir "$work/cache"
