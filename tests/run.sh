#!/usr/bin/env bash
# Everything CI does: formats, lints, docs, tests. Installs what it needs on a bare Debian machine; safe to run again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
. tests/setup.sh

# step NAME COMMAND...: says what runs and how long it took
step() {
  local name=$1 started=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: ok, $((SECONDS - started)) s"
}

need_rust
# the tests unpack images with umoci and compare; without a right to install it, they say that they skipped
need_packages umoci=umoci || echo "umoci is missing: the comparison with it is skipped" >&2
# a real registry, real clients, and a real store behind the cache
need_packages docker-registry=docker-registry skopeo=skopeo ctr=containerd htpasswd=apache2-utils openssl=openssl redis-server=redis-server

step "format" cargo fmt --all --check
step "lints" cargo clippy --locked --all-targets -- -D warnings
step "docs" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
step "tests" cargo test --locked
step "wrappers" bash tests/wrappers.sh
step "third parties" bash tests/validate.sh
step "browser" bash tests/html.sh
echo "all green after $SECONDS s"
