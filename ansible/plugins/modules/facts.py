#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: facts
short_description: Tell how a machine stands
version_added: 0.1.0
description:
  - Tells the agent's version, the last run with its verdicts, exceptions that are over, whether a run waits to be confirmed or a reboot is due, and
    the runs that changed the machine. Looks at no rule anew.
  - A machine without the agent is no error; C(trempe.agent) is empty then.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.facts
  - trempe.hardening.agent
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  facts:
    support: full
  platform:
    platforms: linux
"""

EXAMPLES = r"""
- name: How does the machine stand
  trempe.hardening.facts:
  become: true

- name: Reboot where something waits for it
  ansible.builtin.reboot:
  when: ansible_facts.trempe.reboot | length > 0
  become: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: dict
  contains:
    trempe:
      description: How the machine stands.
      returned: always
      type: dict
      contains:
        agent:
          description: The agent's version. Empty when it is not there.
          returned: always
          type: str
        executable:
          description: Where the agent is. Empty when it is not there.
          returned: always
          type: str
        last:
          description: The last run that changed the machine and was not taken back, with tier, profile, score, summary, failing and expired. Null when
            there was none.
          returned: always
          type: dict
        first_boot:
          description: How the first boot stands. Null when none was since the machine was started.
          returned: always
          type: dict
        awaits_provisioning:
          description: Whether the second phase of the first boot is still to come.
          returned: always
          type: bool
        killed:
          description: Whether a phase of the first boot was ended before its time.
          returned: always
          type: bool
        drift:
          description: What has become of the machine since it was hardened, when that was looked at since it was started. Null otherwise.
          returned: always
          type: dict
        under_way:
          description: The run that is under way. Null when none is.
          returned: always
          type: str
        interrupted:
          description: Runs that did not come to their end; the next one takes them back first.
          returned: always
          type: list
          elements: str
        unreported:
          description: Runs since the last one whose report could not be kept.
          returned: always
          type: list
          elements: str
        pending:
          description: The run that waits to be confirmed. Null when none does.
          returned: always
          type: dict
        reboot:
          description: Why the machine must be rebooted. Empty when it need not be.
          returned: always
          type: list
          elements: str
        history:
          description: The runs that changed the machine, the first one first.
          returned: always
          type: list
          elements: dict
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trempe.hardening.plugins.module_utils import agent

# What is so of a machine without the agent.
ABSENT = {
    "agent": "",
    "executable": "",
    "last": None,
    "first_boot": None,
    "awaits_provisioning": False,
    "killed": False,
    "drift": None,
    "under_way": None,
    "interrupted": [],
    "unreported": [],
    "pending": None,
    "reboot": [],
    "history": [],
}


def main():
    module = AnsibleModule(agent.agent_arguments(), supports_check_mode=True)
    facts = dict(ABSENT)
    given = module.params["executable"]
    if os.path.exists(given) if given else module.get_bin_path("agent", opt_dirs=agent.PLACES):
        called = agent.Agent(module)
        code, out, err = called.run(["--version"])
        if code != agent.GOOD:
            module.fail_json(msg="%s does not run here: %s" % (called.path, err or out.strip()), rc=code)
        root = ["--root", module.params["root"]]
        facts.update(called.json(["status"] + root)[1])
        facts.update(agent=out.split()[-1], executable=called.path, history=called.json(["history"] + root)[1])
    module.exit_json(changed=False, ansible_facts={"trempe": facts})


if __name__ == "__main__":
    main()
