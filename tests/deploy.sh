#!/usr/bin/env bash
# The chart and the kustomization, rendered by the real programs: both must be in order, and their webhooks the same.
#   tests/deploy.sh          needs python3 with yaml; HELM and KUBECTL name the programs; where Helm is missing, Go builds it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
kubectl=${KUBECTL:-kubectl}
helm=${HELM:-helm}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if ! command -v "$helm" >/dev/null; then
  GOBIN=$PWD/target/tools go install helm.sh/helm/v3/cmd/helm@v3.16.4
  helm=$PWD/target/tools/helm
fi

"$kubectl" kustomize deploy/kustomize >"$out/kustomize.yaml"
"$helm" lint --quiet deploy/helm/plimsoll
# render NAME ARGUMENTS...
render() { "$helm" template plimsoll deploy/helm/plimsoll --kube-version 1.31.0 -n plimsoll-system "${@:2}" >"$out/$1.yaml"; }
render self-signed
render cert-manager --set certificates.from=cert-manager
render secret --set certificates.from=secret --set certificates.caBundle=QUJD
render many --set preStopSleepSeconds=5 --set 'excludedNamespaces={a,b}' --set "image.digest=sha256:$(printf '0a%.0s' {1..32})"
for wrong in replicas=1 certificates.from=secret enforce.timeoutSeconds=60 unknown=1; do
  if render wrong --set "$wrong" 2>/dev/null; then
    echo "the chart takes $wrong" >&2
    exit 1
  fi
done

python3 - "$out" <<'END'
import sys, yaml
def read(name):
    return [one for one in yaml.safe_load_all(open(f"{sys.argv[1]}/{name}.yaml")) if one]
def hooks(name):
    found = {}
    for one in read(name):
        if one["kind"] == "ValidatingWebhookConfiguration":
            (hook,) = one["webhooks"]
            hook["clientConfig"].pop("caBundle", None)
            found[one["metadata"]["name"]] = hook
    return found
def pod(name):
    (one,) = [one for one in read(name) if one["kind"] == "Deployment"]
    pod = one["spec"]["template"]["spec"]
    pod.pop("topologySpreadConstraints")
    pod["containers"][0].pop("imagePullPolicy", None)
    return pod
own = hooks("kustomize")
assert set(own) == {"plimsoll-enforce", "plimsoll-warn"}, own
for name in ["self-signed", "cert-manager", "secret"]:
    assert hooks(name) == own, f"{name}: {hooks(name)} is not {own}"
    assert pod(name) == pod("kustomize"), f"{name}: {pod(name)} is not {pod('kustomize')}"
for hook in hooks("many").values():
    excluded = hook["namespaceSelector"]["matchExpressions"][1]
    assert excluded["values"] == ["plimsoll-system", "kube-system", "a", "b"], excluded
print("the chart and the kustomization are in order, and the same")
END
