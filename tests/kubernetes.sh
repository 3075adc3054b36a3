#!/usr/bin/env bash
# The hooks of Kubernetes against a real kube-apiserver with etcd, over TLS; images are those of tests/it/kubernetes. Not part of CI:
# it builds the API server from Debian's source package (5 minutes and 2.5 GB the first time). What the API server asked is put into
# testdata/admission/recorded/, which CI replays.
#   tests/kubernetes.sh          LAB=FOLDER keeps the parts elsewhere than in target/kubernetes
# Needs Debian 12 with curl, dpkg-dev, gcc, jq, make, openssl, python3, rsync, and cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
root=$PWD
lab=${LAB:-$root/target/kubernetes}
parts=$lab/parts
run=$lab/run
server=$lab/source/_output/bin/kube-apiserver
mkdir -p "$lab" && lab=$(cd "$lab" && pwd)
kubectl=$parts/usr/bin/kubectl
flags=(--insecure-port=0 --feature-gates=EphemeralContainers=true --audit-policy-file="$run/audit.yaml" --audit-log-path="$run/audit.log")
. tests/kubernetes-parts.sh

# fetched: Debian's Go 1.19, etcd, kubectl, and the source of kube-apiserver, unpacked beside the system
fetched() {
  [ -d "$lab/source" ] && [ -x "$parts/usr/bin/etcd" ] && return
  mkdir -p "$lab/lists/partial" "$lab/debs" "$parts"
  local kind
  for kind in deb deb-src; do
    echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main"
  done >"$lab/sources.list"
  local apt=(-qq -o "Dir::Etc::sourcelist=$lab/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$lab/lists"
    -o "APT::Sandbox::User=$(id -un)")
  apt-get "${apt[@]}" update
  (cd "$lab/debs" && apt-get "${apt[@]}" download golang-1.19-go golang-1.19-src etcd-server kubernetes-client \
    golang-github-modern-go-reflect2-dev)
  (cd "$lab" && apt-get "${apt[@]}" source --download-only kubernetes)
  local deb
  for deb in "$lab"/debs/*.deb; do dpkg -x "$deb" "$parts"; done
  dpkg-source -x "$lab"/kubernetes_*.dsc "$lab/source" >/dev/null
  # the vendored 1.0.1 crashes with Go 1.18 and newer
  local own=$lab/source/vendor/github.com/modern-go/reflect2
  rm -f "$own"/*.go "$own"/*.s
  cp "$parts"/usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} "$own"
  rm -f "$own"/*_test.go
}

built() {
  [ -x "$server" ] && return
  mkdir -p "$lab/source/.go/src/k8s.io" "$lab/home"
  ln -sfn ../../.. "$lab/source/.go/src/k8s.io/kubernetes"
  (cd "$lab/source" && env -i GOPATH="$lab/source/.go" GOROOT="$parts/usr/lib/go-1.19" GOCACHE="$lab/gocache" GOPROXY=off CGO_ENABLED=0 \
    PATH="$parts/usr/lib/go-1.19/bin:/usr/bin:/bin" HOME="$lab/home" nice make WHAT=cmd/kube-apiserver)
  rm -rf "$lab/gocache"
}

# workload KIND VERSION NAME IMAGE
workload() {
  pod x "$4" | jq --arg kind "$1" --arg version "$2" --arg name "$3" '
    (.spec + (if $kind | test("Job") then { restartPolicy: "Never" } else {} end)) as $spec
    | { metadata: { labels: { app: "x" } }, spec: $spec } as $template
    | { apiVersion: $version, kind: $kind, metadata: { name: $name } }
      + if $kind == "CronJob" then { spec: { schedule: "0 0 * * *", jobTemplate: { spec: { template: $template } } } }
        elif $kind == "PodTemplate" then { template: $template }
        elif $kind == "Job" then { spec: { template: $template } }
        elif $kind == "ReplicationController" then { spec: { selector: { app: "x" }, template: $template } }
        else { spec: ({ selector: { matchLabels: { app: "x" } }, template: $template }
          + if $kind == "StatefulSet" then { serviceName: "x" } else {} end) } end'
}

# webhooks ADDRESS: the project's own, asking this address, and one more for the profile `guarded`
webhooks() {
  as admin create --dry-run=client --validate=false -o json -f "$root/deploy/kustomize/webhooks.yaml" | jq -s --arg url "https://$1" \
    --arg ca "$(base64 -w0 <"$run/ca.crt")" '
    map(.items // [.]) | add
    | map(.webhooks[0].clientConfig = { url: ($url + .webhooks[0].clientConfig.service.path), caBundle: $ca }
      | .webhooks[0].rules |= map(if .apiGroups == ["batch"] then .apiVersions = ["v1", "v1beta1"] else . end))
    | . + [(map(select(.metadata.name == "plimsoll-enforce"))[0] | .metadata.name = "plimsoll-guarded"
      | .webhooks[0].name = "guarded.plimsoll.dev" | .webhooks[0].clientConfig.url = $url + "/k8s/v1/validate/guarded"
      | .webhooks[0].namespaceSelector.matchExpressions[0].values = ["guarded"])]
    | { apiVersion: "v1", kind: "List", items: . }' >"$run/webhooks.json"
  as admin apply -f "$run/webhooks.json" >/dev/null
  # API servers take a moment to see them
  sleep 3
}

timeouts() { # SECONDS: of the webhook that enforces
  as admin patch validatingwebhookconfiguration plimsoll-enforce --type=json \
    -p "[{\"op\":\"replace\",\"path\":\"/webhooks/0/timeoutSeconds\",\"value\":$1}]" >/dev/null
  sleep 2
}

pods() {
  pod good good:1 >"$run/object"
  expect "a good pod" 0 - created shop alice
  pod bad bad:1 >"$run/object"
  expect "a bad pod" 1 'enforce.plimsoll.dev.* denied the request: registry.example/bad:1 fails the policy' created shop alice
  expect "a bad pod where it is warned of" 0 '^Warning: registry.example/bad:1 fails the policy' created lax alice
  expect "a bad pod without a label" 0 - created free alice
  expect "a bad pod in kube-system, labelled or not" 0 - created kube-system alice
  pod missing missing:1 >"$run/object"
  expect "an image that is not there" 1 'cannot be verified' created shop alice
  pod nowhere 'X y' | jq '.spec.containers[0].image = "elsewhere.example/good:1"' >"$run/object"
  expect "a registry that is not listed" 1 'elsewhere.example' created shop alice
  pod init good:1 null '{"initContainers":[{"name":"i","image":"registry.example/bad:2"}]}' >"$run/object"
  expect "a bad init container" 1 'bad:2 fails the policy' created shop alice
  pod dry bad:3 >"$run/object"
  expect "a dry run" 1 'not verified yet|fails the policy' created shop alice --dry-run=server
  pod dry good:1 >"$run/object"
  expect "a dry run of what is known" 0 'server dry run' created shop alice --dry-run=server
}

updates() {
  expect "a label" 0 labeled as alice -n shop label pod/good a=b
  expect "another image, bad" 1 'bad:4 fails the policy' as alice -n shop set image pod/good c=registry.example/bad:4
  expect "another image, good" 0 'image updated' as alice -n shop set image pod/good c=registry.example/good:2
  jq -n '{ apiVersion: "v1", kind: "EphemeralContainers", metadata: { name: "good" }, ephemeralContainers: [{ name: "debug",
    image: "registry.example/bad:5", imagePullPolicy: "Always", terminationMessagePolicy: "File" }] }' >"$run/object"
  local path=/api/v1/namespaces/shop/pods/good/ephemeralcontainers
  expect "a bad ephemeral container" 1 'bad:5 fails the policy' as alice replace --raw "$path" -f "$run/object"
  sed -i 's/bad:5/good:1/' "$run/object"
  expect "a good ephemeral container" 0 EphemeralContainers as alice replace --raw "$path" -f "$run/object"
  expect "the end of a pod" 0 deleted as alice -n shop delete pod good --wait=false --grace-period=0 --force
}

workloads() {
  local kind version name
  while read -r kind version; do
    name=$(echo "$kind" | tr '[:upper:]' '[:lower:]')
    workload "$kind" "$version" "$name-bad" bad:1 >"$run/object"
    expect "$kind, bad" 0 '^Warning: registry.example/bad:1 fails the policy' created shop alice
    workload "$kind" "$version" "$name-good" good:1 >"$run/object"
    expect "$kind, good" 0 - created shop alice
  done <<<'Deployment apps/v1
ReplicaSet apps/v1
StatefulSet apps/v1
DaemonSet apps/v1
Job batch/v1
CronJob batch/v1beta1
ReplicationController v1
PodTemplate v1'
  expect "more replicas" 0 scaled as alice -n shop scale deployment/deployment-bad --replicas=3
}

glass() {
  pod glass bad:1 '{"plimsoll.example/break-glass":"ticket 7"}' >"$run/object"
  expect "a reason from somebody who may not" 1 'fails the policy' created guarded alice
  expect "a reason from somebody who may" 0 '^Warning: refusal overridden' created guarded carol
}

late() {
  timeouts 2
  pod slow slow:1 >"$run/object"
  expect "an answer before the API server gives up" 1 'slow:1 is not verified yet: try again' created shop alice
  pod slow slow:2 >"$run/object"
  expect "the same where it is warned of" 0 '^Warning: registry.example/slow:2 is not verified yet' created lax alice
  sleep 8
  pod slow slow:1 >"$run/object"
  expect "the same again, once it is verified" 0 - created shop alice
  local deaf
  deaf=$(free_port)
  python3 -c "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', $deaf)); s.listen(9); time.sleep(120)" &
  pids+=($!)
  webhooks "127.0.0.1:$deaf"
  pod deaf good:1 >"$run/object"
  expect "nobody answers, fail closed" 1 'InternalError|failed calling webhook' created shop alice
  expect "nobody answers, ignored" 0 - created lax alice
  webhooks "127.0.0.1:1"
  pod gone good:1 >"$run/object"
  expect "nobody is there, fail closed" 1 'failed calling webhook' created shop alice
  expect "nobody is there, ignored" 0 - created lax alice
}

# deploy/certificates.sh, run twice: the second authority stands beside the first, and has signed what is in the Secret
own_certificates() {
  mkdir -p "$run/bin"
  printf '#!/bin/sh\nexec "%s" --server="https://127.0.0.1:%s" --insecure-skip-tls-verify --token=admin-token --cache-dir="%s" "$@"\n' \
    "$parts/usr/bin/kubectl" "$port" "$run/cache" >"$run/bin/kubectl"
  chmod +x "$run/bin/kubectl"
  local count
  for count in 1 2; do
    expect "certificates.sh, run $count" 0 'secret/plimsoll-tls' env KUBECONFIG=/dev/null PATH="$run/bin:$PATH" deploy/certificates.sh
  done
  as admin get validatingwebhookconfiguration plimsoll-warn -o 'jsonpath={.webhooks[0].clientConfig.caBundle}' | base64 -d >"$run/bundle"
  as admin -n plimsoll-system get secret plimsoll-tls -o 'jsonpath={.data.tls\.crt}' | base64 -d >"$run/own.crt"
  expect "two authorities" 0 '^2$' grep -c BEGIN "$run/bundle"
  expect "the certificate is of one of them, for the Service" 0 OK openssl verify -CAfile "$run/bundle" \
    -verify_hostname plimsoll.plimsoll-system.svc "$run/own.crt"
}

audit() {
  local annotation
  for annotation in 'enforce.plimsoll.dev/decision":"deny"' 'enforce.plimsoll.dev/images":"registry.example/good:1@sha256:' \
    'warn.plimsoll.dev/decision":"warn"' 'guarded.plimsoll.dev/break-glass":"ticket 7 .by carol."' 'enforce.plimsoll.dev/score":"' \
    'enforce.plimsoll.dev/skipped":"the images are those of before"'; do
    expect "the audit log has $annotation" 0 "$annotation" grep -m1 -oE "$annotation" "$run/audit.log"
  done
}

image_policy() {
  as admin delete validatingwebhookconfiguration --all >/dev/null
  kill "$api_pid" && wait "$api_pid" 2>/dev/null || true
  jq -n --arg ca "$run/ca.crt" --arg url "https://$address/k8s/v1/imagereview/guarded" '{ apiVersion: "v1", kind: "Config",
    clusters: [{ name: "p", cluster: { "certificate-authority": $ca, server: $url } }], users: [{ name: "a", user: {} }],
    contexts: [{ name: "c", context: { cluster: "p", user: "a" } }], "current-context": "c" }' >"$run/image-policy.kubeconfig"
  jq -n --arg file "$run/image-policy.kubeconfig" '{ apiVersion: "apiserver.config.k8s.io/v1", kind: "AdmissionConfiguration",
    plugins: [{ name: "ImagePolicyWebhook", configuration: { imagePolicy: { kubeConfigFile: $file, allowTTL: 1, denyTTL: 1,
    retryBackoff: 500, defaultAllow: false } } }] }' >"$run/admission.json"
  api_server --enable-admission-plugins=ImagePolicyWebhook --admission-control-config-file="$run/admission.json"
  pod review-good good:1 >"$run/object"
  expect "ImageReview of a good pod" 0 - created free alice
  pod review-bad bad:1 >"$run/object"
  expect "ImageReview of a bad pod" 1 'fails the policy' created free alice
  pod review-glass bad:1 '{"shop.image-policy.k8s.io/break-glass":"ticket 8"}' >"$run/object"
  expect "ImageReview with a reason" 0 - created free alice
}

fetched
built
rm -rf "$run"
mkdir -p "$run"
trap ended EXIT
certificates
serving
etcd
api_server
while read -r name label; do
  as admin create namespace "$name" >/dev/null 2>&1 || true
  # from 1.21 on the API server sets the first one itself
  as admin label --overwrite namespace "$name" "kubernetes.io/metadata.name=$name" ${label:+"plimsoll.dev/admission=$label"} >/dev/null
done <<<'shop enforce
lax warn
guarded guarded
kube-system enforce
plimsoll-system enforce
free'
webhooks "$address"
pods
updates
workloads
glass
late
own_certificates
audit
image_policy
recorded testdata/admission/recorded
