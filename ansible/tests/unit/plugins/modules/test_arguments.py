# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0
"""What the agent is called with, for what the modules are given."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.trempe.hardening.plugins.module_utils import agent
from ansible_collections.trempe.hardening.plugins.modules import apply, audit, rollback


def selected(given, **more):
    """The parameters as Ansible makes them of what a task says."""
    validated = ArgumentSpecValidator(dict(agent.selection_arguments(), **more)).validate(given)
    assert validated.error_messages == []
    return validated.validated_parameters


EXCEPTION = {"rule": "sshd_disable_root_login", "reason": "backup: «nuit»", "until": "2027-06-30"}
KEEP = {"type": "list", "elements": "str", "default": []}


@pytest.mark.parametrize(
    "given, words, said",
    [
        ({}, [], None),
        ({"tier": "strict"}, ["--tier", "strict"], None),
        ({"profile": "cis"}, ["--profile", "cis"], None),
        (
            {"tailoring": ["/a.xml", "/b c.xml"], "rules": ["x", "y"], "use_config": False, "ignore_config": ["/c.yml"]},
            ["--tailoring", "/a.xml", "--tailoring", "/b c.xml", "--rule", "x", "--rule", "y", "--ignore-config", "/c.yml", "--no-config"],
            None,
        ),
        ({"exceptions": [EXCEPTION]}, ["--config", "-"], {"exceptions": [EXCEPTION]}),
        (
            {"values": [{"value": "var_accounts_tmout", "set": 900, "reason": "r"}], "keep": ["ops"]},
            ["--config", "-"],
            {"values": [{"value": "var_accounts_tmout", "set": "900", "reason": "r"}], "access": {"keep": ["ops"]}},
        ),
    ],
)
def test_selection(given, words, said):
    options, text = agent.selection(selected(given, keep=KEEP))
    assert options == ["--root", "/"] + words
    assert (json.loads(text) if text else None) == said


def test_what_is_said_is_yaml_too():
    text = agent.selection(selected({"exceptions": [dict(EXCEPTION, reason=u"\U0001f512 'x' \u00e9")]}))[1]
    assert u"\U0001f512 'x' \u00e9" in text, "YAML knows no surrogates"


@pytest.mark.parametrize("given", [{"tier": "hard"}, {"exceptions": [{"rule": "x"}]}, {"exceptions": [{"rule": "x", "reason": "r", "untill": "y"}]}])
def test_mistakes_are_refused(given):
    assert ArgumentSpecValidator(agent.selection_arguments()).validate(given).error_messages


@pytest.mark.parametrize(
    "check, given, words",
    [
        (True, {"confirm_within": "10m"}, ["plan"]),
        (False, {}, ["apply", "--yes"]),
        (False, {"confirm_within": "10m"}, ["apply", "--yes", "--confirm-within", "10m"]),
        (True, {"content": "ssg-rhel9", "fixes": "both"}, ["plan", "--content", "ssg-rhel9", "--fixes", "both"]),
        (False, {"content": "/a b.xml"}, ["apply", "--yes", "--content", "/a b.xml"]),
    ],
)
def test_apply(check, given, words):
    params = dict(selected({}, keep=KEEP), **dict({"confirm_within": None, "content": None, "fixes": None}, **given))
    called = apply.words(params, check)[0]
    called[called.index("--root") : called.index("--root") + 2] = []
    assert called == words


@pytest.mark.parametrize("check, files", [(False, ["--report", "arf=/arf.xml", "--report", "html=/a=b.html"]), (True, [])])
def test_audit(check, files):
    params = dict(selected({"profile": "cis"}), content="ssg-rhel9", reports={"html": "/a=b.html", "arf": "/arf.xml"})
    assert audit.words(params, check)[0] == ["audit", "--root", "/", "--profile", "cis", "--content", "ssg-rhel9"] + files


@pytest.mark.parametrize(
    "params, check, words",
    [
        ({"run": None, "rules": []}, False, []),
        ({"run": "r", "rules": ["x"]}, False, ["--rule", "x", "r"]),
        ({"run": "r", "rules": []}, True, ["--dry-run", "r"]),
    ],
)
def test_rollback(params, check, words):
    assert rollback.words(dict(params, root="/"), check) == ["rollback", "--root", "/"] + words
