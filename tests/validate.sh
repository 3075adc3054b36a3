#!/usr/bin/env bash
# Has programs of third parties judge what plimsoll writes: SARIF, JUnit, GitLab Code Quality. What they are is in tests/validators.
# Installs them below target/validators, pinned by content; safe to run again. Without a network and without them, it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
. tests/setup.sh

need_rust
need_packages npm=npm python3=python3 jq=jq
# Debian's python3 comes without what a virtual environment needs
python3 -c 'import ensurepip' 2>/dev/null || as_root apt-get install -y -qq --no-install-recommends python3-venv >/dev/null

here=tests/validators
tools=target/validators
reports=target/reports
mkdir -p "$tools"

# fetched again when what is pinned changes
pinned=$(cat "$here"/package-lock.json "$here"/*.txt | sha256sum)
if [ "$(cat "$tools/pinned" 2>/dev/null)" != "$pinned" ]; then
  rm -rf "$tools"
  mkdir -p "$tools"
  cp "$here/package.json" "$here/package-lock.json" "$tools"
  (cd "$tools" && npm ci --silent --ignore-scripts --no-audit --no-fund >&2)
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt" >&2
  # the sources of pytest hold the schema of Jenkins' xunit plugin, which has no package of its own
  "$tools/python/bin/pip" download --quiet --disable-pip-version-check --require-hashes --no-deps --no-binary pytest \
    --no-build-isolation -d "$tools" -r "$here/junit-schema.txt" >&2
  tar -xzf "$tools"/pytest-*.tar.gz -C "$tools" --strip-components 3 --wildcards '*/testing/example_scripts/junit-10.xsd'
  echo "$pinned" >"$tools/pinned"
fi
package=$tools/node_modules/@microsoft/sarif-multitool-linux
multitool=$package/Sarif.Multitool
chmod u+x "$multitool"
# it is a .NET program, and a bare machine has no libicu
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
python=$tools/python/bin/python
schemas=("$package/sarif-2.1.0.json" "$tools/junit-10.xsd")

rm -rf "$reports"
mkdir -p "$reports"
PLIMSOLL_REPORTS=$PWD/$reports cargo test --locked --quiet --test it -- --ignored sarif::write_reports >&2
PLIMSOLL_REPORTS=$PWD/$reports cargo test --locked --quiet --lib -- --ignored sarif::tests::written >&2
# a test that is called otherwise is no failure to cargo
[ -f "$reports/recipe-hostile-names.sarif" ] && [ -f "$reports/sample-located-usual.sarif" ]

"$python" "$here/validate.py" "$reports" "${schemas[@]}"

# It exits with 0 whatever it finds: its log is what counts. Its own launcher breaks arguments at the semicolon.
log=$tools/log.sarif
rm -f "$log"
"$multitool" validate "$reports/*.sarif" --rule-kind "Sarif;Ghas" -c "$here/ghas.xml" --level "Error;Warning" --kind Fail \
  -o "$log" --log ForceOverwrite >"$tools/multitool.txt" || { cat "$tools/multitool.txt"; exit 1; }
jq -r '.runs[].results[] | "\(.level // "warning") \(.ruleId) \(.locations[0].physicalLocation.artifactLocation.uri) \(.message.arguments)"' "$log"
count=$(find "$reports" -name '*.sarif' | wc -l)
grep -q "^Done. $count files scanned" "$tools/multitool.txt" || { cat "$tools/multitool.txt"; exit 1; }
jq -e '[.runs[].results[]] | length == 0' "$log" >/dev/null
echo "multitool: $count documents: 0 errors, 0 warnings"

# the counts that sarif-tools reads are those that are there
PYTHONWARNINGS=ignore "$tools/python/bin/sarif" summary "$reports/demo.sarif" >"$tools/summary.txt"
for level in error warning note; do
  expected=$(jq "[.runs[].results[] | select(.level == \"$level\")] | length" "$reports/demo.sarif")
  grep -qx "$level: $expected" "$tools/summary.txt" || { cat "$tools/summary.txt"; exit 1; }
done
if "$tools/python/bin/sarif" --check error summary "$reports/demo.sarif" >/dev/null; then
  echo "sarif-tools finds no error in a report of an image that fails" >&2
  exit 1
fi
"$tools/python/bin/sarif" --check error summary "$reports/good.sarif" >/dev/null
echo "sarif-tools: counts agree"

"$python" "$here/broken.py" "$reports" "$multitool" "${schemas[@]}"
