#!/usr/bin/env bash
# certificates.sh [NAMESPACE]: without cert-manager: an authority and a certificate for the Service of plimsoll, put into the Secret
# plimsoll-tls and into both webhook configurations. Safe to run again; run it before the certificate ends (a year). The authority's
# key is thrown away: a new run makes a new authority, which is trusted beside the old one until the pods have the new certificate.
set -euo pipefail
namespace=${1:-plimsoll-system}
host=plimsoll.$namespace.svc
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
umask 077

cd "$folder"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=plimsoll admission" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$host" -keyout tls.key -out tls.csr 2>/dev/null
printf 'subjectAltName=DNS:%s,DNS:%s.cluster.local\nextendedKeyUsage=serverAuth\n' "$host" "$host" >extensions
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile extensions -out tls.crt 2>/dev/null

old=$(kubectl get validatingwebhookconfiguration plimsoll-enforce -o 'jsonpath={.webhooks[0].clientConfig.caBundle}' | base64 -d)
# the last authority stays until the next run: mounted secrets arrive a minute later
last=$(printf '%s\n' "$old" | awk '/BEGIN CERTIFICATE/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }')
bundle=$({ printf '%s\n' "$last"; cat ca.crt; } | sed '/^$/d' | base64 | tr -d '\n')
for name in plimsoll-enforce plimsoll-warn; do
  kubectl patch validatingwebhookconfiguration "$name" --type=json \
    -p "[{\"op\":\"add\",\"path\":\"/webhooks/0/clientConfig/caBundle\",\"value\":\"$bundle\"}]"
done
kubectl -n "$namespace" create secret tls plimsoll-tls --cert=tls.crt --key=tls.key --dry-run=client -o yaml | kubectl apply -f -
