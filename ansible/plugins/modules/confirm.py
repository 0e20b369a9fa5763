#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: confirm
short_description: Keep a run that waits to be confirmed
version_added: 0.1.0
description:
  - Keeps what M(trempe.hardening.apply) with C(confirm_within) changed. Comes over a new connection, so it shows that the machine can still be reached.
  - Fails when the run was taken back in the meantime.
options:
  executable:
    description:
      - The agent on the target. Looked for in C(/usr/local/sbin), C(/usr/bin), C(/usr/local/bin) and C(PATH), in this order, when left out.
    type: path
  run:
    description:
      - The run that is meant, as M(trempe.hardening.apply) names it. Another one that waits is an error; when this one was confirmed before,
        nothing is changed. Whatever waits when left out.
    type: str
requirements:
  - the agent of Trempe on the target
author:
  - The authors of Trempe (@trempe)
attributes:
  check_mode:
    description: Says whether a run waits.
    support: full
  diff_mode:
    description: Shows no diffs, as it changes no file.
    support: none
seealso:
  - module: trempe.hardening.apply
"""

EXAMPLES = r"""
- name: Harden, to be taken back unless we come back
  trempe.hardening.apply:
    tier: strict
    confirm_within: 10m
  become: true
  register: hardened

- name: Begin a new connection
  ansible.builtin.meta: reset_connection

- name: Keep it
  trempe.hardening.confirm:
    run: "{{ hardened.run }}"
  become: true
  when: hardened.run | length > 0
"""

RETURN = r"""
run:
  description: The run that was confirmed. Empty when none waited.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trempe.hardening.plugins.module_utils import agent


def taken_back(history, run):
    """Whether a run was taken back, or never was."""
    stays = [one for one in history if one["run"] == run and one["taken_back"] < one["changes"]]
    return run is not None and not stays


def main():
    module = AnsibleModule({"executable": {"type": "path"}, "run": {"type": "str"}}, supports_check_mode=True)
    called, run = agent.Agent(module), module.params["run"]
    waiting = called.json(["status"])[1]["pending"]
    if waiting and run not in (None, waiting["run"]):
        module.fail_json(msg="the run %s waits to be confirmed, not %s" % (waiting["run"], run))
    if not waiting:
        if taken_back(called.json(["history"])[1], run):
            module.fail_json(msg="the run %s was taken back, or never was" % run)
        module.exit_json(changed=False, run="")
    if not module.check_mode:
        code, out, err = called.run(["confirm"])
        if code != agent.GOOD:
            module.fail_json(msg=err or out, rc=code)
    module.exit_json(changed=True, run=waiting["run"])


if __name__ == "__main__":
    main()
