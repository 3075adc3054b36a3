# What the scripts with API servers share; sourced, not run. `run` is the folder of the run, `parts` holds Debian's programs, `server` and
# `kubectl` are the programs of Kubernetes, `flags` what this API server takes beside what all take.
# shellcheck shell=bash disable=SC2154

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

passed=0
pids=()
ended() {
  local status=$?
  touch "$run/stop"
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ "$status" = 0 ] || echo "failed; logs are in $run" >&2
}

certificates() {
  cd "$run"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -keyout ca.key -out ca.crt 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj /CN=plimsoll -keyout tls.key -out tls.csr 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1\n' >extensions
  openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out tls.crt 2>/dev/null
  openssl genrsa -out accounts.key 2048 2>/dev/null
  openssl rsa -in accounts.key -pubout -out accounts.pub 2>/dev/null
  printf '%s\n' 'admin-token,admin,1,"system:masters"' 'alice-token,alice,2,"developers"' 'carol-token,carol,3,"on-call"' >tokens.csv
  printf '%s\n' 'apiVersion: audit.k8s.io/v1' 'kind: Policy' 'rules: [{ level: Metadata }]' >audit.yaml
  cd "$root"
}

# expect WHAT STATUS PATTERN COMMAND...: the command ends so, and says what fits the pattern (`-`: says no warning)
expect() {
  local what=$1 status=$2 pattern=$3 said=0
  shift 3
  "$@" >"$run/said" 2>&1 || said=1
  if [ "$said" != "$status" ]; then
    echo "FAILED $what: ended with $said: $(cat "$run/said")" >&2
    exit 1
  fi
  if [ "$pattern" = - ]; then
    ! grep -q '^Warning:' "$run/said" || { echo "FAILED $what: $(cat "$run/said")" >&2; exit 1; }
  else
    grep -qE -- "$pattern" "$run/said" || { echo "FAILED $what: $(cat "$run/said")" >&2; exit 1; }
  fi
  passed=$((passed + 1))
  echo "ok $what: $(head -c 200 "$run/said" | tr '\n' ' ')"
}

# pod NAME IMAGE [ANNOTATIONS-AS-JSON [MORE-OF-THE-SPEC-AS-JSON]]
pod() {
  jq -n --arg name "$1" --arg image "registry.example/$2" --argjson notes "${3:-null}" --argjson more "${4:-null}" '{ apiVersion: "v1",
    kind: "Pod", metadata: { name: $name, annotations: $notes }, spec: ({ containers: [{ name: "c", image: $image }] } + $more) }'
}

# created NAMESPACE USER [ARGUMENTS...]: what stands in the file `object`
created() { as "$2" -n "$1" create -f "$run/object" "${@:3}"; }

# serving: plimsoll with the profiles and images of tests/it/kubernetes; `address` says where
serving() {
  {
    printf '[server]\napi = "127.0.0.1:0"\noperations = "127.0.0.1:0"\n[server.tls]\ncert = "tls.crt"\nkey = "tls.key"\n'
    sed -n '/^const PROFILES/,/^";/p' tests/it/kubernetes/mod.rs | sed '1d;$d'
  } >"$run/plimsoll.toml"
  cargo test --locked --quiet --test it --no-run
  PLIMSOLL_LIVE=$run cargo test --locked --quiet --test it kubernetes::live -- --ignored >"$run/plimsoll.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 60); do [ -s "$run/address" ] || sleep 1; done
  address=$(cat "$run/address")
}

# etcd: `etcd_port` says where
etcd() {
  etcd_port=$(free_port)
  "$parts/usr/bin/etcd" --data-dir "$run/etcd" --listen-client-urls "http://127.0.0.1:$etcd_port" --listen-peer-urls http://127.0.0.1:0 \
    --advertise-client-urls "http://127.0.0.1:$etcd_port" >"$run/etcd.log" 2>&1 &
  pids+=($!)
}

# api_server ARGUMENTS...: starts it and waits until it is ready; `port` and `api_pid` say which it is
api_server() {
  port=$(free_port)
  "$server" --etcd-servers="http://127.0.0.1:$etcd_port" --bind-address=127.0.0.1 --secure-port="$port" --cert-dir="$run/api" \
    --service-cluster-ip-range=10.0.0.0/24 --token-auth-file="$run/tokens.csv" --authorization-mode=AlwaysAllow \
    --service-account-issuer=https://lab --service-account-signing-key-file="$run/accounts.key" \
    --service-account-key-file="$run/accounts.pub" --disable-admission-plugins=ServiceAccount "${flags[@]}" "$@" >>"$run/api.log" 2>&1 &
  api_pid=$!
  pids+=("$api_pid")
  for _ in $(seq 120); do
    as admin get --raw /readyz >/dev/null 2>&1 && return
    sleep 1
  done
  echo "the API server is not ready" >&2
  return 1
}

# as USER ARGUMENTS...: kubectl
as() {
  local user=$1
  shift
  KUBECONFIG=/dev/null "$kubectl" --server="https://127.0.0.1:$port" --insecure-skip-tls-verify --token="$user-token" \
    --cache-dir="$run/cache" "$@"
}

# recorded FOLDER: what was asked is put there
recorded() {
  mkdir -p "$1"
  rm -f "$1"/*.json
  local file
  for file in "$run"/requests/*.json; do
    # what took too long here does not in a replay
    grep -qE 'not verified yet|example/slow' "$file" || cp "$file" "$1/"
  done
  echo "all $passed green; $(find "$1" -name '*.json' | wc -l) requests recorded"
}
