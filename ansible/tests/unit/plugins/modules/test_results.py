# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0
"""What the modules say of what the agent said."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import pytest
from ansible_collections.trempe.hardening.plugins.module_utils import agent
from ansible_collections.trempe.hardening.plugins.modules import apply, audit, confirm, rollback


def rule(name, result, severity="medium", **more):
    """A rule of a report."""
    return dict(
        {"id": name, "title": name, "severity": severity, "result": result, "references": {"cis": []}, "evidence": [], "changes": [], "exception": None},
        **more
    )


def report(*rules, **more):
    """A report."""
    return dict(
        {"policy": {"tier": "strict", "profile": "p", "sha256": "s"}, "score": {"value": 50.0}, "summary": {}, "rules": list(rules)},
        **more
    )


def test_a_run():
    told = apply.result(report(rule("a", "fixed", changes=["write /a"], diffs=["-x\n+y\n"]), rule("b", "fail"), run="r"))
    assert (told["changed"], told["run"], told["changes"]) == (True, "r", [{"rule": "a", "change": "write /a"}])
    assert [one["id"] for one in told["failing"]] == ["b"]
    assert "manual" not in told


def test_a_run_that_found_nothing_to_do():
    told = apply.result(report(rule("a", "pass")))
    assert (told["changed"], told["run"], told["changes"]) == (False, "", [])


def test_a_plan():
    steps = [{"rule": "a", "sentence": "write /a", "diff": "-x\n+y\n"}, {"rule": "a", "sentence": "chmod /a", "diff": ""}]
    plan = {"steps": steps, "deferred": [], "manual": [{"rule": "b", "reason": "r"}], "packages": {}, "errors": []}
    planned = report(rule("a", "fail", changes=["write /a", "chmod /a"]), plan=plan)
    told = apply.result(planned)
    assert told["changed"] and len(told["changes"]) == 2 and told["manual"] == plan["manual"]
    assert agent.diffs(planned) == [{"prepared": "-x\n+y\n"}]


OVER = {"reason": "r", "owner": "", "until": "2020-01-01", "expired": True, "source": "s"}
JUDGED = agent.summed_up(report(rule("l", "fail", "low"), rule("h", "unknown", "high"), rule("e", "error", reason="why"), rule("x", "pass", exception=OVER)))


@pytest.mark.parametrize(
    "asked, said",
    [
        ({}, []),
        ({"fail_on": "high"}, ["not met, of severity high: h"]),
        ({"fail_on": "low"}, ["not met, of severity low or medium or high: l, h"]),
        ({"min_score": 50.0}, []),
        ({"min_score": 50.1}, ["the score is 50.0, asked for is 50.1"]),
        ({"fail_on_expired": True}, ["exceptions are over: x"]),
        ({"fail_on_error": True}, ["could not be looked at: e (why)"]),
    ],
)
def test_thresholds(asked, said):
    lenient = {"fail_on": "none", "min_score": None, "fail_on_expired": False, "fail_on_error": False}
    assert audit.below(dict(lenient, **asked), JUDGED) == said


def run(name, changes, taken_back, interrupted=False):
    """A line of the history."""
    return {"run": name, "changes": changes, "taken_back": taken_back, "interrupted": interrupted}


@pytest.mark.parametrize(
    "history, named, nothing",
    [
        ([], None, True),
        ([], "r", False),  # an error, which the agent words
        ([run("r", 2, 2)], None, True),
        ([run("r", 2, 2), run("s", 2, 1)], None, False),
        ([run("r", 2, 2), run("s", 2, 1)], "r", True),
        ([run("r", 2, 2, True)], None, False),
        ([run("r", 2, 2), run("s", 0, 0, True)], "r", False),
    ],
)
def test_nothing_left_to_take_back(history, named, nothing):
    assert rollback.nothing_left(history, named) is nothing


def test_what_was_taken_back():
    undone = [{"run": "s", "changes": ["a"], "kept": ["k"], "failed": ["f"]}, {"run": "r", "changes": [], "kept": [], "failed": []}]
    told = rollback.result(undone)
    assert told == {"changes": ["a"], "kept": ["k"], "not_taken_back": ["f"], "runs": ["s"], "changed": True}
    assert "failed" not in told, "a word of Ansible's own"
    assert rollback.result([])["changed"] is False


@pytest.mark.parametrize(
    "history, named, gone",
    [([run("r", 2, 0)], "r", False), ([run("r", 2, 2)], "r", True), ([], "r", True), ([], None, False)],
)
def test_confirmed_before_or_taken_back(history, named, gone):
    assert confirm.taken_back(history, named) is gone
