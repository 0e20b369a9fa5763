# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0

"""What the documentation of several modules says alike."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    DOCUMENTATION = r"""
options:
  executable:
    description:
      - The agent on the target. Looked for in C(/usr/local/sbin), C(/usr/bin), C(/usr/local/bin) and C(PATH), in this order, when left out.
    type: path
  root:
    description:
      - The directory that holds the machine, for a mounted image.
    type: path
    default: /
requirements:
  - the agent of Trempe on the target (its package, or the role C(trempe.hardening.harden))
author:
  - The authors of Trempe (@trempe)
"""

    SELECTION = r"""
options:
  tier:
    description:
      - The tier. C(light) neither cuts access nor breaks a workload, C(standard) is CIS Level 1 Server, C(strict) is CIS Level 2 Server.
      - What the machine's own configuration below C(/etc/trempe) says when left out.
    type: str
    choices: [light, standard, strict]
  profile:
    description:
      - A profile by its full id or its last part, instead of a tier.
    type: str
  tailoring:
    description:
      - XCCDF tailoring files on the target, each laid over the ones before. Only root may be able to write them.
    type: list
    elements: path
    default: []
  exceptions:
    description:
      - Rules not to ask for, as data. They are in every report; after their last day the rule is asked for again and an audit fails.
      - They count for this run. What shall count for every run on the machine is configuration, which the role C(trempe.hardening.harden) writes.
    type: list
    elements: dict
    default: []
    suboptions:
      rule:
        description: The rule's id.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        required: true
      owner:
        description: Who answers for it.
        type: str
      until:
        description: The last day on which it holds, as C(YYYY-MM-DD). Without end when left out.
        type: str
  values:
    description:
      - Values to set otherwise than the tier does, as data.
    type: list
    elements: dict
    default: []
    suboptions:
      value:
        description: The value's id.
        type: str
        required: true
      set:
        description: What it is to be.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        required: true
      owner:
        description: Who answers for it.
        type: str
      until:
        description: The last day on which it holds, as C(YYYY-MM-DD). Without end when left out.
        type: str
  rules:
    description:
      - Only these rules.
    type: list
    elements: str
    default: []
  use_config:
    description:
      - Whether the machine's own configuration and tailoring below C(/etc/trempe) count.
    type: bool
    default: true
  ignore_config:
    description:
      - Files of the machine's own configuration to leave out, as the one that will be written from these very options.
    type: list
    elements: path
    default: []
"""
