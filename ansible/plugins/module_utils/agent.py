# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0
"""What the modules have in common: their arguments made the agent's, its JSON read.

Nothing is decided here about a machine: that is the agent's work. Must run with Python 3.6.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# Where packages and the role put the agent; sudo's path lacks some of them on the Red Hat family.
PLACES = ["/usr/local/sbin", "/usr/bin", "/usr/local/bin"]
# What the agent ends with: all is well, something deviates. Anything else is trouble.
GOOD, DEVIATES = 0, 2

EXCEPTION = {
    "reason": {"type": "str", "required": True},
    "owner": {"type": "str"},
    "until": {"type": "str"},
}


def agent_arguments():
    """The arguments of every module."""
    return {
        "executable": {"type": "path"},
        "root": {"type": "path", "default": "/"},
    }


def selection_arguments():
    """The arguments that say what is asked of a machine."""
    arguments = agent_arguments()
    arguments.update(
        tier={"type": "str", "choices": ["light", "standard", "strict"]},
        profile={"type": "str"},
        tailoring={"type": "list", "elements": "path", "default": []},
        exceptions={
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": dict(EXCEPTION, rule={"type": "str", "required": True}),
        },
        values={
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": dict(EXCEPTION, value={"type": "str", "required": True}, set={"type": "str", "required": True}),
        },
        rules={"type": "list", "elements": "str", "default": []},
        use_config={"type": "bool", "default": True},
        ignore_config={"type": "list", "elements": "path", "default": []},
    )
    return arguments


def selection(params):
    """The agent's options for them, and what it is to read from standard input (None for nothing)."""
    words = ["--root", params["root"]]
    for option in ("tier", "profile"):
        if params.get(option):
            words += ["--" + option, params[option]]
    for path in params["tailoring"]:
        words += ["--tailoring", path]
    for rule in params["rules"]:
        words += ["--rule", rule]
    for path in params["ignore_config"]:
        words += ["--ignore-config", path]
    if not params["use_config"]:
        words.append("--no-config")
    said = configuration(params)
    if said:
        words += ["--config", "-"]
    return words, said


def configuration(params):
    """What the agent reads from standard input: a configuration as JSON, which is YAML too. None for nothing."""
    said = {}
    for key in ("exceptions", "values"):
        if params[key]:
            said[key] = [dict((name, text) for name, text in one.items() if text is not None) for one in params[key]]
    if params.get("keep"):
        said["access"] = {"keep": params["keep"]}
    return json.dumps(said, ensure_ascii=False, sort_keys=True) if said else None


def changes(report):
    """What is, or would be, changed: rule and sentence, in the order of the rules."""
    return [{"rule": rule["id"], "change": line} for rule in report["rules"] for line in rule["changes"]]


def diffs(report):
    """What is, or would be, changed in files, as Ansible shows it; in the order of the rules, as a run tells it."""
    if "plan" in report:
        steps = report["plan"]["steps"]
        texts = [step["diff"] for rule in report["rules"] for step in steps if step["rule"] == rule["id"]]
    else:
        texts = [text for rule in report["rules"] for text in rule.get("diffs", [])]
    return [{"prepared": text} for text in texts if text]


def judged(report, *results):
    """The rules with one of these results, in short."""
    keep = ("id", "title", "severity", "result", "references", "reason", "evidence", "exception")
    return [
        dict((key, rule[key]) for key in keep if rule.get(key) is not None)
        for rule in report["rules"]
        if rule["result"] in results
    ]


def exceptions(report):
    """The exceptions that were made, each with its rule."""
    return [dict(rule["exception"], rule=rule["id"]) for rule in report["rules"] if rule.get("exception")]


def summed_up(report):
    """What every result of a judging module says of a report."""
    return {
        "tier": report["policy"]["tier"],
        "profile": report["policy"]["profile"],
        "policy_sha256": report["policy"]["sha256"],
        "score": report["score"]["value"],
        "summary": report["summary"],
        "failing": judged(report, "fail", "unknown"),
        "errors": judged(report, "error"),
        "exceptions": exceptions(report),
        "problems": report.get("problems", []),
        "notes": report.get("notes", []),
    }


class Agent(object):
    """The agent on the target."""

    def __init__(self, module):
        self.module = module
        given = module.params["executable"]
        self.path = given or module.get_bin_path("agent", opt_dirs=PLACES)
        if not self.path:
            module.fail_json(
                msg="the agent is not on this machine: install its package, or let the role trempe.hardening.harden bring it"
            )

    def run(self, words, said=None):
        """Runs it; gives its exit code and what it wrote to standard output and standard error."""
        # Its messages are not translated; its locale decides nothing else.
        code, out, err = self.module.run_command([self.path] + words, data=said, environ_update={"LC_ALL": "C.UTF-8"})
        return code, out, err.strip()

    def json(self, words, said=None):
        """Runs it with a machine-readable answer, and reads that; fails when there is none. Gives exit code, answer, messages."""
        code, out, err = self.run(words + ["--format", "json"], said)
        try:
            return code, json.loads(out), err
        except ValueError:
            told = err or out.strip() or "it said nothing"
            self.module.fail_json(msg="%s %s: %s" % (self.path, words[0], told), rc=code)

    def end(self, code, err, result):
        """Ends the module: well, or with what went wrong."""
        if code in (GOOD, DEVIATES):
            self.module.exit_json(**result)
        because = result.get("problems", []) + result.get("not_taken_back", []) + [
            "%s: %s" % (rule["id"], rule.get("reason") or "could not be looked at") for rule in result.get("errors", [])
        ]
        self.module.fail_json(msg="; ".join(because) or err or "the agent ended with %s" % code, rc=code, **result)
