#!/usr/bin/env bash
# As tests/kubernetes.sh, with a newer kube-apiserver: image volumes, sidecars, ephemeral containers in pods, and the manifests as they
# are. Run that first: it fetches etcd. Builds the API server from its Go modules (10 minutes and 4 GB the first time).
#   tests/kubernetes-new.sh      LAB as there; needs Go 1.24 and kubectl 1.31, or newer, and helm where that is to be tried too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
version=1.33.4
root=$PWD
lab=${LAB:-$root/target/kubernetes}
mkdir -p "$lab/new" && lab=$(cd "$lab" && pwd)
parts=$lab/parts
run=$lab/new/run
server=$lab/new/kube-apiserver
kubectl=kubectl
flags=(--feature-gates=ImageVolume=true)
. tests/kubernetes-parts.sh

built() {
  [ -x "$server" ] && return
  cd "$lab/new"
  export GOFLAGS=-mod=mod
  printf 'module lab\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v%s\n' "$version" >go.mod
  # its own modules are named by the versions of their folders, which only its repository has
  local own
  own=$(go mod download -json "k8s.io/kubernetes@v$version" | jq -r .GoMod)
  grep -oE '^\s+k8s\.io/[a-z-]+ v0\.0\.0( //.*)?$' "$own" | awk '{ print $1 }' | sort -u | while read -r name; do
    echo "replace $name => $name v0.${version#1.}"
  done >>go.mod
  printf '//go:build tools\n\npackage lab\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n' >tools.go
  go mod tidy
  CGO_ENABLED=0 nice go build -o kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
  cd "$root"
}

manifests() {
  as admin create namespace plimsoll-system >/dev/null
  as admin kustomize deploy/kustomize >"$run/kustomize.yaml"
  expect "the kustomization" 0 'poddisruptionbudget.policy/plimsoll created' as admin apply -f "$run/kustomize.yaml"
  if command -v "${HELM:-helm}" >/dev/null; then
    "${HELM:-helm}" template plimsoll deploy/helm/plimsoll --kube-version "$version" -n chart --set preStopSleepSeconds=5 >"$run/chart.yaml"
    as admin create namespace chart >/dev/null
    expect "the chart" 0 'deployment.apps/plimsoll' as admin apply --dry-run=server -f "$run/chart.yaml"
  fi
  local name label path authority
  authority=$(base64 -w0 <"$run/ca.crt")
  while read -r name path; do
    as admin patch validatingwebhookconfiguration "plimsoll-$name" --type=json -p "[{\"op\":\"replace\",\"path\":\"/webhooks/0/clientConfig\",
      \"value\":{\"url\":\"https://$address/k8s/v1/validate/$path\",\"caBundle\":\"$authority\"}}]" >/dev/null
  done <<<$'enforce default\nwarn warn'
  while read -r name label; do
    as admin create namespace "$name" >/dev/null 2>&1 || true
    as admin label namespace "$name" "plimsoll.dev/admission=$label" >/dev/null
  done <<<$'shop enforce\nlax warn\nkube-system enforce\nplimsoll-system enforce'
  sleep 3
}

pods() {
  local refused='denied the request: registry.example/bad:1 fails the policy'
  pod good good:1 >"$run/object"
  expect "a good pod" 0 - created shop alice
  pod bad bad:1 >"$run/object"
  expect "a bad pod" 1 "$refused" created shop alice
  expect "a bad pod where it is warned of" 0 '^Warning: registry.example/bad:1 fails' created lax alice
  expect "a bad pod in kube-system, whatever its label" 0 - created kube-system alice
  pod own bad:1 | jq '.spec.containers[0] += { securityContext: { runAsNonRoot: true, runAsUser: 1, allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } } }' >"$run/object"
  expect "a bad pod in plimsoll's own namespace, whatever its label" 0 - created plimsoll-system alice
  pod volume good:1 null '{"volumes":[{"name":"v","image":{"reference":"registry.example/bad:1"}}]}' >"$run/object"
  expect "a bad image volume" 1 "$refused" created shop alice
  pod volume good:1 null '{"volumes":[{"name":"v","image":{"reference":"registry.example/good:2"}}]}' >"$run/object"
  expect "a good image volume" 0 - created shop alice
  pod sidecar good:1 null '{"initContainers":[{"name":"s","image":"registry.example/bad:1","restartPolicy":"Always"}]}' >"$run/object"
  expect "a bad sidecar" 1 "$refused" created shop alice
  expect "kubectl debug with a bad image" 1 "$refused" as alice -n shop debug pod/good --image=registry.example/bad:1 -c one
  expect "kubectl debug with a good image" 0 - as alice -n shop debug pod/good --image=registry.example/good:1 -c two --attach=false
  expect "another image, bad" 1 'registry.example/bad:3 fails' as alice -n shop set image pod/good c=registry.example/bad:3
  expect "a CronJob" 0 '^Warning: registry.example/bad:1 fails' \
    as alice -n shop create cronjob cron --image=registry.example/bad:1 --schedule='0 0 * * *'
  expect "a Deployment" 0 '^Warning: registry.example/bad:1 fails' as alice -n shop create deployment web --image=registry.example/bad:1
  expect "more replicas" 0 - as alice -n shop scale deployment/web --replicas=2
}

built
rm -rf "$run"
mkdir -p "$run"
trap ended EXIT
certificates
serving
etcd
api_server
manifests
pods
recorded "testdata/admission/recorded-${version%.*}"
