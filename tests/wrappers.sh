#!/usr/bin/env bash
# Lets third parties look at what wraps plimsoll: actionlint and the published JSON schemas at the action, the workflow and the GitLab
# component; shellcheck at the scripts; in-toto's own library at a statement. Tools are pinned, and kept in target/wrappers.
# Tekton and Jenkins publish nothing that can be used offline: tests/it/templates.rs runs their scripts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/setup.sh

tools=$PWD/target/wrappers
need_packages python3=python3 shellcheck=shellcheck go=golang-go
if [ ! -x "$tools/bin/check-jsonschema" ]; then
  python3 -m venv "$tools" 2>/dev/null || { need_packages ensurepip=python3-venv; python3 -m venv "$tools"; }
  "$tools/bin/pip" install --quiet check-jsonschema==0.39.0 in-toto-attestation==0.9.3
fi
if [ ! -x "$tools/bin/actionlint" ]; then
  GOBIN=$tools/bin go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
fi

"$tools/bin/actionlint" -shellcheck shellcheck ci/github/example.yml
"$tools/bin/check-jsonschema" --builtin-schema vendor.github-workflows ci/github/example.yml
"$tools/bin/check-jsonschema" --builtin-schema vendor.github-actions action.yml

# the component's header and its jobs are two documents
rm -rf "$tools/gitlab"
mkdir "$tools/gitlab"
awk -v folder="$tools/gitlab" 'BEGIN { file = folder "/header.yml" } /^---$/ { file = folder "/jobs.yml"; next } { print > file }' \
  ci/gitlab/templates/plimsoll/template.yml
for document in header jobs; do
  "$tools/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$tools/gitlab/$document.yml"
done

shellcheck ci/github/*.sh
"$tools/bin/python" - <<'PYTHON' >"$tools/scripts.txt"
import pathlib
import subprocess
import sys

from ruamel.yaml import YAML

yaml = YAML(typ="safe")
jobs = list(yaml.load_all(pathlib.Path("ci/gitlab/templates/plimsoll/template.yml")))[1]
task = yaml.load(pathlib.Path("ci/tekton/task.yaml"))
jenkins = pathlib.Path("ci/jenkins/Jenkinsfile").read_text().split("'''")[1]
scripts = ["\n".join(job["script"]) for job in jobs.values()]
scripts += [step["script"] for step in task["spec"]["steps"]] + [jenkins]
for script in scripts:
    checked = subprocess.run(["shellcheck", "--shell=sh", "-"], input=script, text=True)
    if checked.returncode:
        sys.exit(script)
PYTHON

cargo build --locked --quiet
for image in demo good; do
  code=0
  target/debug/plimsoll check "testdata/images/$image.tar" -o "in-toto=$tools/statement.jsonl" || code=$?
  [ "$code" -le 1 ]
  "$tools/bin/python" - "$tools/statement.jsonl" <<'PYTHON'
import json
import pathlib
import sys

from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
for line in lines:
    document = json.loads(line)
    # unknown fields are errors in both
    Statement.copy_from_pb(json_format.ParseDict(document, statement_pb2.Statement())).validate()
    result = json_format.ParseDict(document["predicate"], test_result_pb2.TestResult())
    for descriptor in result.configuration:
        ResourceDescriptor.copy_from_pb(descriptor).validate()
assert len(lines) == 1, lines
PYTHON
done
echo "wrappers: in order"
