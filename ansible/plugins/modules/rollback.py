#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: rollback
short_description: Take a run of the agent back
version_added: 0.1.0
description:
  - Takes back what a run of M(trempe.hardening.apply) changed, all of it or what it changed for some rules.
  - A run that was interrupted, by a power cut for example, is taken back before anything else.
extends_documentation_fragment:
  - trempe.hardening.agent
options:
  run:
    description:
      - The run, as M(trempe.hardening.apply) and M(trempe.hardening.facts) name it. The last one that changed something when left out.
    type: str
  rules:
    description:
      - Only the changes for these rules.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Says what would be taken back. What somebody changed since is left as it is, which only a real run notices.
    support: full
  diff_mode:
    description: Shows no diffs; what is taken back is in the result.
    support: none
notes:
  - Without I(run), each call takes one more run back. When there is none left, nothing is changed.
seealso:
  - module: trempe.hardening.apply
"""

EXAMPLES = r"""
- name: Take the last run back
  trempe.hardening.rollback:
  become: true

- name: Take back what a run did for one rule
  trempe.hardening.rollback:
    run: "{{ hardened.run }}"
    rules: [sshd_disable_root_login]
  become: true
"""

RETURN = r"""
runs:
  description: The runs of which something was, or would be, taken back.
  returned: success
  type: list
  elements: str
changes:
  description: What was, or would be, taken back, in sentences, in that order.
  returned: success
  type: list
  elements: str
kept:
  description: What was left as it is, because somebody changed it since.
  returned: success
  type: list
  elements: str
not_taken_back:
  description: What could not be taken back, and why.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trempe.hardening.plugins.module_utils import agent


def words(params, check_mode):
    """What the agent is called with."""
    options = ["--root", params["root"]]
    for rule in params["rules"]:
        options += ["--rule", rule]
    if check_mode:
        options.append("--dry-run")
    if params["run"]:
        options.append(params["run"])
    return ["rollback"] + options


def nothing_left(history, run):
    """Whether there is nothing to take back: of this run, or of any."""
    of_interest = [one for one in history if one["interrupted"] or run in (None, one["run"])]
    known = run is None or any(one["run"] == run for one in history)
    return known and all(one["changes"] == one["taken_back"] and not one["interrupted"] for one in of_interest)


def result(undone):
    """What the module says of what was taken back."""
    # `failed` is a word of Ansible's own.
    keys = {"changes": "changes", "kept": "kept", "not_taken_back": "failed"}
    told = dict((key, [line for one in undone for line in one[keys[key]]]) for key in keys)
    told["runs"] = [one["run"] for one in undone if one["changes"]]
    told["changed"] = bool(told["changes"])
    return told


def main():
    arguments = agent.agent_arguments()
    arguments.update(run={"type": "str"}, rules={"type": "list", "elements": "str", "default": []})
    module = AnsibleModule(arguments, supports_check_mode=True)
    called = agent.Agent(module)
    history = called.json(["history", "--root", module.params["root"]])[1]
    if nothing_left(history, module.params["run"]):
        module.exit_json(**result([]))
    code, undone, err = called.json(words(module.params, module.check_mode))
    called.end(code, err, result(undone))


if __name__ == "__main__":
    main()
