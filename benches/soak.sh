#!/usr/bin/env bash
# soak.sh [SECONDS [PROGRAM]]: an hour (3600) of three replicas of `plimsoll serve` that share one Redis, before a real registry, while
# replicas and Redis are killed, the registry answers 429 in bursts and certificates are swapped. Every answer is compared with the truth.
# Exit 1 on any wrong verdict, on a queue or a memory that grows. Needs: apt-get install docker-registry jq openssl python3 redis-server skopeo.
set -euo pipefail
cd "$(dirname "$0")/.."
for need in docker-registry jq openssl python3 redis-server skopeo; do
  command -v "$need" >/dev/null || { echo "soak.sh needs $need" >&2; exit 2; }
done
if [ $# -lt 2 ]; then cargo build --release --quiet; fi
target=$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)
exec python3 benches/soak.py "${1:-3600}" "$(realpath "${2:-$target/release/plimsoll}")"
