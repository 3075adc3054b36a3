#!/usr/bin/env python3
"""broken.py REPORTS MULTITOOL SARIF_SCHEMA JUNIT_SCHEMA: breaks good reports, each in one way, and fails unless every one is refused.

A validator that takes everything proves nothing: this shows that those in use can fail, each by what it is there for.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import validate

HERE = pathlib.Path(__file__).parent


def place(document):
    return document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]


def driver(document):
    return document["runs"][0]["tool"]["driver"]


def result(document):
    return document["runs"][0]["results"][0]


# what is broken, how, and who must refuse it
SARIF = [
    ("no-location", lambda it: result(it).update(locations=[]), "multitool"),
    ("no-region", lambda it: place(it).pop("region"), "multitool"),
    ("foreign-scheme", lambda it: place(it)["artifactLocation"].update(uri="docker://shop/cart"), "multitool"),
    ("name-as-scheme", lambda it: place(it)["artifactLocation"].update(uri="app:dev"), "multitool"),
    ("absolute-path", lambda it: place(it)["artifactLocation"].update(uri="/etc/passwd"), "multitool"),
    ("space-in-uri", lambda it: place(it)["artifactLocation"].update(uri="a b/Dockerfile"), "multitool"),
    ("wrong-rule-index", lambda it: result(it).update(ruleIndex=9999), "multitool"),
    ("rule-without-help", lambda it: [rule.pop("help") for rule in driver(it)["rules"]], "multitool"),
    ("no-schema", lambda it: it.pop("$schema"), "multitool"),
    ("line-zero", lambda it: place(it)["region"].update(startLine=0), "schemas"),
    ("unknown-member", lambda it: result(it).update(severity="high"), "schemas"),
    ("unknown-level", lambda it: result(it).update(level="critical"), "schemas"),
    ("two-runs-of-one-id", lambda it: it["runs"].append(copy.deepcopy(it["runs"][0])), "schemas"),
    ("climbing-path", lambda it: place(it)["artifactLocation"].update(uri="../Dockerfile"), "schemas"),
    ("severity-no-number", lambda it: driver(it)["rules"][0]["properties"].update({"security-severity": "high"}), "schemas"),
]
GITLAB = [
    ("line-zero", lambda it: it[0]["location"]["lines"].update(begin=0)),
    ("two-of-one-fingerprint", lambda it: it.append(copy.deepcopy(it[0]))),
    ("unknown-severity", lambda it: it[0].update(severity="high")),
    ("path-with-dot", lambda it: it[0]["location"].update(path="./Dockerfile")),
]
JUNIT = [
    ("line-of-a-testcase", lambda it: it.replace("<testcase ", '<testcase line="3" ', 1)),
    ("suite-without-tests", lambda it: it.replace("<testsuite name", "<testsuite title", 1)),
    ("unknown-element", lambda it: it.replace("<properties>", "<properties><label/>", 1)),
]


def multitool_refuses(multitool, path):
    log = path.with_suffix(".log.sarif")
    arguments = ["validate", str(path), "--rule-kind", "Sarif;Ghas", "-c", str(HERE / "ghas.xml"), "--level", "Error;Warning"]
    run = subprocess.run([multitool, *arguments, "--kind", "Fail", "-o", str(log), "--log", "ForceOverwrite"], capture_output=True)
    if run.returncode != 0 or not log.exists():
        return True
    return any(run["results"] for run in json.loads(log.read_text())["runs"])


def main(reports, multitool, *schemas):
    reports = pathlib.Path(reports)
    judges = validate.Judges(*schemas)
    accepted = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        good = json.loads((reports / "demo.sarif").read_text())
        for name, spoil, judge in [("nothing", lambda it: None, "nobody"), *SARIF]:
            document = copy.deepcopy(good)
            spoil(document)
            path = folder / f"{name}.sarif"
            path.write_text(json.dumps(document))
            refused = {
                "multitool": lambda: multitool_refuses(multitool, path),
                "schemas": lambda: bool(judges.faults(path)),
                "nobody": lambda: not multitool_refuses(multitool, path) and not judges.faults(path),
            }[judge]()
            if not refused:
                accepted.append(f"sarif {name} by {judge}")
        for kind, ending, broken in (("gitlab", ".gitlab.json", GITLAB), ("junit", ".junit.xml", JUNIT)):
            text = (reports / f"demo{ending}").read_text()
            for name, spoil in broken:
                path = folder / f"{name}{ending}"
                if kind == "gitlab":
                    document = json.loads(text)
                    spoil(document)
                    path.write_text(json.dumps(document))
                else:
                    path.write_text(spoil(text))
                if not judges.faults(path):
                    accepted.append(f"{kind} {name}")
    count = len(SARIF) + len(GITLAB) + len(JUNIT)
    print(f"broken reports: {count - len(accepted)} of {count} are refused")
    for name in accepted:
        print(f"not refused: {name}")
    return 1 if accepted else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
