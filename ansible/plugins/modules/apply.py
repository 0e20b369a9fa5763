#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: apply
short_description: Harden a machine to a tier
version_added: 0.1.0
description:
  - Makes a machine what a tier of Trempe asks for, with an undo log. What is so already is left alone.
  - The agent looks, before and after, at who gets in and becomes root, and takes back by itself what would shut them out.
  - In check mode nothing is changed; the result says what would be.
  - With I(content), SCAP content of others judges instead of the catalogue, and I(fixes) says what mends the rules that fail.
extends_documentation_fragment:
  - trempe.hardening.agent
  - trempe.hardening.agent.selection
options:
  keep:
    description:
      - Accounts that must keep access, beside those of the machine's own configuration.
      - Those that get in and become root now when nobody names any.
    type: list
    elements: str
    default: []
  content:
    description:
      - SCAP content of others instead of the catalogue, on the target. A data stream (also C(.xz) and C(.bz2)), an XCCDF benchmark, or the name of an
        installed one (C(ssg-rhel9)). The machine's own configuration does not count then, and exceptions are given as I(tailoring).
    type: str
  fixes:
    description:
      - With I(content), what mends a rule that fails. C(catalogue) is the rule of the catalogue of that name, C(content) the content's own shell fix, run in
        a sandbox and made a plan of, C(both) the catalogue and where it has no such rule the content.
      - C(catalogue) when left out.
    type: str
    choices: [catalogue, content, both]
  confirm_within:
    description:
      - Take all of it back by itself, across a reboot too, unless M(trempe.hardening.confirm) comes within this time after the end, as C(10m).
    type: str
attributes:
  check_mode:
    description: Runs C(agent plan).
    support: full
  diff_mode:
    description: Shows what is, or would be, changed in files. Password hashes are hidden.
    support: full
notes:
  - Rules that only a person can mend do not make the task fail; they are in C(failing) and C(manual).
  - A rule that could not be looked at, or a change that could not be made, does. What was changed is in the result all the same.
seealso:
  - module: trempe.hardening.audit
  - module: trempe.hardening.confirm
  - module: trempe.hardening.rollback
"""

EXAMPLES = r"""
- name: Harden to CIS Level 1 Server
  trempe.hardening.apply:
    tier: standard
  become: true

- name: Harden to CIS Level 2 Server, passwords over ssh excepted until a day
  trempe.hardening.apply:
    tier: strict
    exceptions:
      - rule: sshd_disable_password_authentication
        reason: no keys on the jump host yet
        owner: ops@example.org
        until: "2027-06-30"
    values:
      - value: var_accounts_tmout
        set: "1800"
        reason: long maintenance sessions
    confirm_within: 10m
  become: true

- name: Harden to a profile of the SCAP Security Guide, by its own fixes
  trempe.hardening.apply:
    content: ssg-rhel9
    profile: cis_server_l1
    fixes: content
  become: true
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the rules.
  returned: success
  type: list
  elements: dict
  sample: [{"rule": "banner_etc_issue_cis", "change": "write /etc/issue"}]
run:
  description: The run, for M(trempe.hardening.rollback). Empty when nothing had to be changed, and in check mode.
  returned: success
  type: str
deferred:
  description: In check mode, rules that are decided once other changes are made, and why. What they call for follows in the same run.
  returned: check mode
  type: list
  elements: dict
manual:
  description: In check mode, failing rules that only a person can mend, and why.
  returned: check mode
  type: list
  elements: dict
packages:
  description: In check mode, every package that comes, changes or goes, those that come along included, unless I(unforeseen) says why not.
  returned: check mode
  type: dict
unforeseen:
  description: In check mode, why I(packages) could not be told. Empty when they could.
  returned: check mode
  type: str
tier:
  description: The tier that was asked for.
  returned: success
  type: str
profile:
  description: The profile's full id.
  returned: success
  type: str
policy_sha256:
  description: Two machines with the same were asked for the same rules with the same values and exceptions.
  returned: success
  type: str
score:
  description: The share of judged rules that are met, from 0 to 100. In check mode, as it is now.
  returned: success
  type: float
summary:
  description: How many rules ended with each result.
  returned: success
  type: dict
failing:
  description: Rules that are not met, with evidence.
  returned: success
  type: list
  elements: dict
errors:
  description: Rules that could not be looked at.
  returned: success
  type: list
  elements: dict
exceptions:
  description: The exceptions that were made, each with its rule, whether it is expired, and where it was written.
  returned: success
  type: list
  elements: dict
problems:
  description: What the run as a whole ran into.
  returned: success
  type: list
  elements: str
notes:
  description: What else is to be known, for example until when the run must be confirmed.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trempe.hardening.plugins.module_utils import agent


def words(params, check_mode):
    """What the agent is called with, and what it reads from standard input."""
    options, said = agent.selection(params)
    for option in ("content", "fixes"):
        if params[option]:
            options += ["--" + option, params[option]]
    if check_mode:
        return ["plan"] + options, said
    if params["confirm_within"]:
        options += ["--confirm-within", params["confirm_within"]]
    return ["apply", "--yes"] + options, said


def result(report):
    """What the module says of a report of the agent."""
    changes = agent.changes(report)
    told = dict(agent.summed_up(report), changes=changes, changed=bool(changes), run=report.get("run", ""))
    if "plan" in report:
        told.update((key, report["plan"][key]) for key in ("deferred", "manual", "packages"))
        told["unforeseen"] = report["plan"].get("unforeseen") or ""
    return told


def main():
    arguments = agent.selection_arguments()
    arguments.update(
        keep={"type": "list", "elements": "str", "default": []},
        content={"type": "str"},
        fixes={"type": "str", "choices": ["catalogue", "content", "both"]},
        confirm_within={"type": "str"},
    )
    module = AnsibleModule(
        arguments,
        supports_check_mode=True,
        mutually_exclusive=[("tier", "profile")] + [("content", other) for other in ("exceptions", "values", "keep")],
        required_by={"fixes": ["content"]},
    )
    called = agent.Agent(module)
    code, report, err = called.json(*words(module.params, module.check_mode))
    told = result(report)
    if module._diff:
        told["diff"] = agent.diffs(report)
    called.end(code, err, told)


if __name__ == "__main__":
    main()
