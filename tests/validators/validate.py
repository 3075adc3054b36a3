#!/usr/bin/env python3
"""validate.py FOLDER SARIF_SCHEMA JUNIT_SCHEMA: judges every report below FOLDER; exit code 1 and one line for each fault.

*.sarif by the SARIF schema and by what code scanning's server is known to refuse and no validator looks at,
*.junit.xml by Jenkins' schema, *.gitlab.json by the fields that GitLab documents.
"""

import gzip
import json
import pathlib
import re
import sys

import jsonschema
import xmlschema

HERE = pathlib.Path(__file__).parent
LEGAL = re.compile(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+")
LINK = re.compile(r"(?<!\\)(?:\\\\)*\[(?:[^\]\\]|\\.)*\]\((\d+)\)")


def by_schema(validator, document):
    for error in validator.iter_errors(document):
        place = "/".join(str(part) for part in error.absolute_path)
        yield f"{place}: {error.message[:200]}"


def of_rule(rule):
    for name in ("shortDescription", "fullDescription"):
        if not 0 < len(rule[name]["text"]) <= 1024:
            yield f"{rule['id']}: {name} of {len(rule[name]['text'])} characters"
    properties = rule["properties"]
    severity = properties.get("security-severity")
    if severity is not None:
        try:
            is_number = isinstance(severity, str) and 0.0 < float(severity) <= 10.0
        except ValueError:
            is_number = False
        if not is_number:
            yield f"{rule['id']}: security-severity {severity!r}"
    if len(properties["tags"]) > 20:
        yield f"{rule['id']}: {len(properties['tags'])} tags"


def of_result(result, rules):
    if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
        yield f"{result['ruleId']} is not the rule of its index"
    related = result.get("relatedLocations", [])
    if len(related) + 1 > 1000:
        yield f"{len(related)} related locations"
    for location in result["locations"] + related:
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        parts = uri.split("/")
        if not LEGAL.fullmatch(uri) or any(part in ("", ".", "..") for part in parts):
            yield f"URI {uri!r}"
    region = result["locations"][0]["physicalLocation"]["region"]
    if region["startLine"] != region["endLine"]:
        yield f"a region of several lines: {region}"
    linked = [int(target) for target in LINK.findall(result["message"]["text"])]
    if linked != [location["id"] for location in related]:
        yield f"links {linked} of {result['message']['text'][:200]!r}"


def of_sarif(document, size):
    ids = [run.get("automationDetails", {}).get("id") for run in document["runs"]]
    if len(set(ids)) != len(ids):
        yield f"two runs share an id: {ids}"
    if len(ids) > 20:
        yield f"{len(ids)} runs"
    if size > 10_000_000:
        yield f"{size} bytes in gzip"
    for run in document["runs"]:
        rules = run["tool"]["driver"]["rules"]
        for rule in rules:
            yield from of_rule(rule)
        if len(run["results"]) > 25_000 or len(rules) > 25_000:
            yield f"{len(run['results'])} results, {len(rules)} rules"
        for result in run["results"]:
            yield from of_result(result, rules)


def of_gitlab(entries):
    fingerprints = [entry["fingerprint"] for entry in entries]
    if len(set(fingerprints)) != len(fingerprints):
        yield "two entries share a fingerprint"


class Judges:
    """The validators, made once."""

    def __init__(self, sarif_schema, junit_schema):
        def of_json(path):
            schema = json.loads(pathlib.Path(path).read_text())
            return jsonschema.validators.validator_for(schema)(schema)

        self.sarif = of_json(sarif_schema)
        self.gitlab = of_json(HERE / "gitlab-codequality.schema.json")
        self.junit = xmlschema.XMLSchema(junit_schema)

    def faults(self, path):
        name = path.name
        if name.endswith(".junit.xml"):
            return [str(error.reason) for error in self.junit.iter_errors(str(path))]
        text = path.read_bytes()
        document = json.loads(text)
        if name.endswith(".gitlab.json"):
            return list(by_schema(self.gitlab, document)) or list(of_gitlab(document))
        size = len(gzip.compress(text))
        return list(by_schema(self.sarif, document)) or list(of_sarif(document, size))


ENDINGS = (".sarif", ".junit.xml", ".gitlab.json")


def main(folder, *schemas):
    judges = Judges(*schemas)
    counts = dict.fromkeys(ENDINGS, 0)
    failed = 0
    for path in sorted(pathlib.Path(folder).iterdir()):
        ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
        if ending is None:
            continue
        counts[ending] += 1
        for fault in judges.faults(path):
            print(f"{path.name}: {fault}")
            failed += 1
    told = ", ".join(f"{count} *{ending}" for ending, count in counts.items())
    print(f"schemas: {told}: {failed} faults")
    return 1 if failed or not all(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
