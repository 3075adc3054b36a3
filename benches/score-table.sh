#!/usr/bin/env bash
# score-table.sh DIR: the table of docs/score.md, in Markdown, from DIR/images/IMAGE/IMAGE.oci, which the script of the shared images
# builds from its folder of applications. Needs jq. PLIMSOLL names the program; without it, a release build of this folder is used.
set -euo pipefail
images=$(realpath "${1:?usage: score-table.sh DIR}")/images
cd "$(dirname "$0")/.."
[ -n "${PLIMSOLL:-}" ] || { cargo build --release --quiet && PLIMSOLL=target/release/plimsoll; }

# each from the worst to the best
applications=(
  "django basic optimized multistage hardened distroless"
  "fastapi single userlocal multi advanced"
  "task-api single copyall multi distroless scratch"
  "java single multi distroless"
  "node single multi three-stage distroless"
  "go single alpine distroless scratch"
)

lost() { # IMAGE: what the report says after "lost", in one line
  "$PLIMSOLL" check --quiet --color never --exit-zero "$1" |
    awk '/^  lost  / { told = $0; next } told && /^            [^ ]/ { told = told $0; next } told { exit } END { print told }' |
    sed -E 's/^ +lost +//; s/ {2,}/ /g'
}

echo "| application | image | score | grade | shipped | ballast | points lost |"
echo "|---|---|---:|---|---:|---:|---|"
for line in "${applications[@]}"; do
  read -r application names <<<"$line"
  for name in $names; do
    image=$images/$application-$name/$application-$name.oci
    [ -e "$image" ] || { echo "there is no $image" >&2; exit 1; }
    "$PLIMSOLL" check --quiet --exit-zero --format json "$image" |
      jq -r --arg application "$application" --arg name "$name" --arg lost "$(lost "$image")" '
        def mib: . / 104857.6 | round / 10 | "\(.) MiB";
        .images[0] | "| \($application) | \($name) | \(.score.value) | \(.score.grade) | \(.measurements.shipped_bytes | mib)"
          + " | \(.ballast.bytes | mib) | \(if $lost == "" then "none" else $lost end) |"'
  done
done
