#!/usr/bin/python3
"""Reads reports as their consumers do. usage: readers.py SCHEMAS DIRECTORY; the directory holds r.sarif, r.csv, r.prom, r.junit.xml, r.md,
r.xccdf.xml, r.arf.xml and r.json.
Prints what was read, as JSON: rules by result of each."""

import collections
import csv
import json
import pathlib
import sys
import xml.etree.ElementTree

import jsonschema
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families


XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"


def row_of(report, rule):
    return next(row for row in report["rules"] if row["id"] == rule)


def words(token):
    """What a reader sees of a line of Markdown."""
    return "".join(own.content for own in token.children or [])


def read_markdown(text):
    """The first cell of each row of each table. Anything but plain text in headings, tables, paragraphs and strong words is an error."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inside = {own.type for token in tokens for own in token.children or []}
    assert inside <= {"text", "softbreak", "strong_open", "strong_close", "code_inline"}, inside
    kinds = {token.type.rsplit("_", 1)[0] for token in tokens} - {"inline"}
    assert kinds <= {"heading", "paragraph", "blockquote", "table", "thead", "tbody", "tr", "th", "td"}, kinds
    rows = [at for at, token in enumerate(tokens) if token.type == "tr_open" and tokens[at + 1].type == "td_open"]
    return [words(tokens[at + 2]) for at in rows]


def main():
    schemas, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    report = json.loads((directory / "r.json").read_text())

    sarif = json.loads((directory / "r.sarif").read_text())
    schema = json.loads((schemas / "sarif-2.1.0.json").read_text())
    wrong = [f"{list(error.path)}: {error.message[:200]}" for error in jsonschema.Draft7Validator(schema).iter_errors(sarif)]
    assert not wrong, wrong
    run = sarif["runs"][0]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]

    with open(directory / "r.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file, strict=True))
    for line in lines:
        assert None not in line and None not in line.values(), line
        for cell in line.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell[:40]
            assert len(cell) <= 32_767, len(cell)

    samples = {}
    for family in text_string_to_metric_families((directory / "r.prom").read_text()):
        assert family.documentation and family.type == "gauge", family
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, key
            samples[key] = sample.value

    suite = xml.etree.ElementTree.parse(directory / "r.junit.xml").getroot()[0]
    cases = {case.get("name").split(" ")[0]: case for case in suite.iter("testcase")}
    properties = {entry.get("name"): entry.get("value") for entry in suite.iter("property")}
    excepted = {row["id"]: row["exception"] for row in report["rules"] if row["exception"]}
    told = {name.split(".", 1)[1]: value for name, value in properties.items() if name.startswith("exception.")}
    assert told.keys() == excepted.keys(), (told, excepted)
    ends = {dict(labels)["rule"] for (name, labels) in samples if name == "trempe_exception_end_timestamp_seconds"}
    assert ends == excepted.keys(), (ends, excepted)
    for rule, own in excepted.items():
        assert own["until"] in told[rule], told[rule]
        if row_of(report, rule)["result"] == "notselected":
            assert own["until"] in cases[rule].findtext("skipped"), rule
    assert all(case.findtext("skipped") for case in cases.values() if case.find("skipped") is not None)

    # What the standards' documents and JUnit say of each rule is what the agent's own says.
    verdicts = {row["id"]: row["result"] for row in report["rules"]}
    for name in "r.xccdf.xml", "r.arf.xml":
        found = xml.etree.ElementTree.parse(directory / name).getroot().iter(XCCDF + "rule-result")
        found = {one.get("idref").split("_rule_", 1)[1]: one.findtext(XCCDF + "result") for one in found}
        assert found == verdicts, (name, found.items() ^ verdicts.items())
    bad = {row["id"] for row in report["rules"] if row["result"] in ("fail", "error", "unknown")
           or (row["exception"] or {}).get("expired")}
    told = {name for name, case in cases.items() if case.find("failure") is not None or case.find("error") is not None}
    assert told == bad, told ^ bad
    named = read_markdown((directory / "r.md").read_text())
    assert set(named) == bad | excepted.keys() if len(bad) <= 50 else len(named) >= 50, set(named) ^ bad
    assert {line["rule"]: line["result"] for line in lines}.items() <= verdicts.items()

    def by_result(results):
        return dict(collections.Counter(results))

    print(json.dumps({
        "json": by_result(row["result"] for row in report["rules"]),
        "csv": by_result(line["result"] for line in lines),
        "prometheus": {dict(labels)["result"]: int(value) for (name, labels), value in samples.items() if name == "trempe_rules"},
        "deviates": sum(name == "trempe_rule_deviates" for name, _ in samples),
        "sarif": by_result(result["properties"]["result"] for result in run["results"]),
        "exceptions": {dict(labels)["state"]: int(value) for (name, labels), value in samples.items() if name == "trempe_exceptions"},
        "suppressed": sum("suppressions" in result for result in run["results"]),
    }))


main()
