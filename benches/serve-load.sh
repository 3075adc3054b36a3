#!/usr/bin/env bash
# serve-load.sh [PROGRAM]: what `plimsoll serve` does under load, each figure beside the target that docs/performance.md gives. Everything
# runs on loopback and ends with the script. Needs: apt-get install curl docker-registry jq python3 skopeo wrk. About four minutes.
#   SECONDS_EACH=10 IMAGES=64 BLOB_MIB=256   how long each load lasts, images at once, size of the blob
set -euo pipefail
cd "$(dirname "$0")/.."
for need in curl docker-registry jq python3 skopeo wrk; do
  command -v "$need" >/dev/null || { echo "serve-load.sh needs $need" >&2; exit 2; }
done
if [ $# -lt 1 ]; then cargo build --release --quiet; fi
target=$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)
program=$(realpath "${1:-$target/release/plimsoll}")
seconds=${SECONDS_EACH:-10} images=${IMAGES:-64} blob_mib=${BLOB_MIB:-256}
work=$(mktemp -d)
pids=()
ended() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap ended EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# row WHAT FIGURE TARGET
row() { printf '%-62s %-34s %s\n' "$1" "$2" "$3"; }

registry=127.0.0.1:$(free_port)
cat >"$work/registry.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/store}}
http: {addr: $registry}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
pids+=($!)

# serve NAME SERVER-LINES...: starts a server; `api`, `operations`, `gate` and `server` say where and which it is
serve() {
  local name=$1
  api=127.0.0.1:$(free_port) operations=127.0.0.1:$(free_port) gate=127.0.0.1:$(free_port)
  {
    printf '[server]\napi = "%s"\noperations = "%s"\n' "$api" "$operations"
    printf '%s\n' "${@:2}"
    printf '[gate]\nlisten = "%s"\nupstream = "http://%s"\n' "$gate" "$registry"
    printf '[registries."%s"]\ninsecure = true\nallow_private = true\n' "$registry"
  } >"$work/$name.toml"
  "$program" serve --config "$work/$name.toml" --log-level error >"$work/$name.log" 2>&1 &
  server=$!
  pids+=("$server")
  curl -sf --retry 50 --retry-connrefused --retry-delay 1 --retry-max-time 30 -o /dev/null "http://$operations/readyz"
}

# loaded SCRIPT CONNECTIONS URL: wrk's words on it; what was not answered with 2xx ends the script
loaded() {
  wrk -t2 -c"$2" -d"${seconds}s" --latency -s "$1" "$3" >"$work/wrk"
  if grep -qE 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    exit 1
  fi
}
per_second() { awk '/Requests\/sec/ { print $2 }' "$work/wrk"; }
p99() { awk '$1 == "99%" { print $2 }' "$work/wrk"; }

curl -sf --retry 50 --retry-connrefused --retry-delay 1 --retry-max-time 30 -o /dev/null "http://$registry/v2/"
skopeo copy -q --insecure-policy --dest-tls-verify=false --format oci docker-archive:testdata/images/good.tar "docker://$registry/good:1"
serve main 'max_inflight_per_namespace = 256'
printf '%s\n' "$("$program" --version), $(nproc) cores, $(uname -m)"

reviews() { # by tag, by digest
  local digest name image
  curl -sf -D "$work/head" -o "$work/manifest.json" -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
    "http://$registry/v2/good/manifests/1"
  digest=$(tr -d '\r' <"$work/head" | awk 'tolower($1) == "docker-content-digest:" { print $2 }')
  for name in tag digest; do
    if [ "$name" = tag ]; then image=$registry/good:1; else image=$registry/good@$digest; fi
    jq -c --arg image "$image" -n '{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "1", kind: { group: "",
      version: "v1", kind: "Pod" }, namespace: "shop", operation: "CREATE", object: { spec: { containers: [{ name: "c", image: $image }] } } } }' \
      >"$work/review.json"
    printf 'local f = io.open("%s"); wrk.method = "POST"; wrk.body = f:read("*a"); wrk.headers["Content-Type"] = "application/json"\n' \
      "$work/review.json" >"$work/review.lua"
    # known before the load begins
    curl -sf -o "$work/answer" --data-binary @"$work/review.json" "http://$api/k8s/v1/validate/default?timeout=30s"
    jq -e .response.allowed "$work/answer" >/dev/null
    curl -sf "http://$operations/metrics" >"$work/before"
    loaded "$work/review.lua" 64 "http://$api/k8s/v1/validate/default?timeout=10s"
    curl -sf "http://$operations/metrics" >"$work/after"
    row "warm reviews by $name, 64 connections" "$(per_second)/s, p99 $(p99) at wrk" ">= 1000/s"
    row "  of these, in the server within 10 ms" "$(share 0.01)" "p99 <= 10 ms: >= 99 %"
  done
}

# share SECONDS: of the reviews between the two pages, how many took no longer
share() {
  local of='plimsoll_admission_duration_seconds_'
  awk -v of="$of" -v le="le=\"$1\"" '
    index($1, of) != 1 || !index($1, "kubernetes") { next }
    FNR == NR { if (index($1, "_count")) all -= $2; else if (index($1, le)) within -= $2; next }
    { if (index($1, "_count")) all += $2; else if (index($1, le)) within += $2 }
    END { printf "%.2f %% of %d", all ? 100 * within / all : 0, all }' "$work/before" "$work/after"
}

# pushed HOST FILE DIGEST, pulled HOST DIGEST: seconds
pushed() {
  local path
  path=$(curl -sf -X POST -H 'Content-Length: 0' -D - -o /dev/null "http://$1/v2/speed/blobs/uploads/" |
    tr -d '\r' | awk 'tolower($1) == "location:" { sub("^http://[^/]*", "", $2); print $2 }')
  curl -sf -o /dev/null -w '%{time_total}' -T "$2" -H 'Content-Type: application/octet-stream' -H 'Expect:' "http://$1$path&digest=$3"
}
# pulled HOST DIGEST [CURL-OPTIONS...]
pulled() { curl -sf "${@:3}" -o /dev/null -w '%{time_total}' "http://$1/v2/speed/blobs/$2"; }

blobs() {
  local digest what direct through
  head -c "$((blob_mib << 20))" /dev/urandom >"$work/blob"
  digest=sha256:$(sha256sum "$work/blob" | cut -d ' ' -f 1)
  for what in push pull 'pull at the pace of 10 Gbit/s'; do
    # pairs one after another: whatever else the machine does falls on both
    for _ in 1 2 3 4 5; do
      if [ "$what" = push ]; then
        direct=$(pushed "$registry" "$work/blob" "$digest") through=$(pushed "$gate" "$work/blob" "$digest")
      elif [ "$what" = pull ]; then
        direct=$(pulled "$registry" "$digest") through=$(pulled "$gate" "$digest")
      else
        direct=$(pulled "$registry" "$digest" --limit-rate 1192M) through=$(pulled "$gate" "$digest" --limit-rate 1192M)
      fi
      echo "$direct $through"
    done | awk -v mib="$blob_mib" '{ print $1 / $2, mib / $1, mib / $2 }' | sort -n | sed -n 3p >"$work/median"
    row "blob $what, $blob_mib MiB, median of 5 pairs" \
      "$(awk '{ printf "%.0f MiB/s, direct %.0f: %.1f %%", $3, $2, 100 * $1 }' "$work/median")" ">= 95 % of direct"
  done
}

manifests() {
  cat >"$work/put.lua" <<END
local f = io.open("$work/manifest.json"); local text = f:read("*a"):gsub("}%s*$", "")
wrk.method = "PUT"
wrk.headers["Content-Type"] = "application/vnd.oci.image.manifest.v1+json"
wrk.headers["Authorization"] = "Basic eDp5"
local count, own = 0, 0
local threads = 0
function setup(thread) threads = threads + 1; thread:set("own", threads) end
function request()
  count = count + 1
  return wrk.format(nil, nil, nil, text .. ',"annotations":{"number":"' .. own .. "-" .. count .. '-$RANDOM"}}')
end
END
  local host name
  for name in gate registry; do
    if [ "$name" = gate ]; then host=$gate; else host=$registry; fi
    loaded "$work/put.lua" 2 "http://$host/v2/good/manifests/load"
    if [ "$name" = gate ]; then
      local count
      count=$(awk '/requests in/ { print $1 }' "$work/wrk")
      [ "$count" -ge 200 ] || { echo "only $count manifests were put" >&2; exit 1; }
      row "manifests of known layers put through the gate ($count)" "p99 $(p99), $(per_second)/s" "p99 <= 50 ms"
    else
      row "  the same to the registry itself" "p99 $(p99), $(per_second)/s" ""
    fi
  done
}

memory() {
  python3 benches/put-images.py "$registry" many "$images" 3000 8192
  local workers peak
  for workers in 2 "$images"; do
    serve "workers-$workers" "workers = $workers"
    local began=$EPOCHREALTIME
    seq "$images" | xargs -P "$images" -I {} curl -sf -X POST -H 'Content-Type: application/json' \
      -d "{\"image\": \"$registry/many:{}\", \"wait_ms\": 120000}" "http://$api/v1/verify" >"$work/verdicts"
    local took
    took=$(awk -v began="$began" -v ended="$EPOCHREALTIME" 'BEGIN { printf "%.1f", ended - began }')
    [ "$(grep -o '"verdict":"[a-z]*"' "$work/verdicts" | grep -cvF unverifiable)" = "$images" ] || { cat "$work/verdicts" >&2; exit 1; }
    peak=$(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status")
    row "$images distinct images of 24 MB at once, $workers workers" "$peak MiB at most, $took s" "<= 400 MiB"
    kill "$server"
  done
}

reviews
blobs
manifests
row "the server's memory after all this" "$(awk '/VmHWM/ { printf "%.0f MiB at most", $2 / 1024 }' "/proc/$server/status")" "<= 400 MiB"
memory
