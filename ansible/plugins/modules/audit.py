#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright the authors of Trempe
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: audit
short_description: Tell which rules a machine meets
version_added: 0.1.0
description:
  - Judges a machine by a tier of Trempe, or by SCAP content of others, and gives the results as data. Changes nothing but the report files it is asked for.
  - The task fails when the machine is below the thresholds that are given, when an exception is over, and when a rule could not be looked at.
extends_documentation_fragment:
  - trempe.hardening.agent
  - trempe.hardening.agent.selection
options:
  content:
    description:
      - SCAP content of others instead of the catalogue, on the target. A data stream (also C(.xz) and C(.bz2)), an XCCDF benchmark, or the name of an
        installed one (C(ssg-rhel9)). The machine's own configuration does not count then, and exceptions are given as I(tailoring).
    type: str
  fail_on:
    description:
      - The task fails when a rule of this severity or a higher one is not met; with C(low), whatever its severity is. C(none) leaves that to you.
    type: str
    choices: [none, low, medium, high]
    default: none
  min_score:
    description:
      - The task fails when less than this share of the judged rules is met, in percent.
    type: float
  fail_on_expired:
    description:
      - Whether the task fails when an exception is over.
    type: bool
    default: true
  fail_on_error:
    description:
      - Whether the task fails when a rule could not be looked at.
    type: bool
    default: true
  reports:
    description:
      - Files on the target to write reports to, by format. C(html), C(json), C(xccdf), C(arf), C(junit), C(sarif), C(csv), C(prometheus), C(markdown),
        and what else the agent knows.
    type: dict
    default: {}
  full:
    description:
      - Whether C(report) holds the agent's whole report, beside the lists of those rules that matter.
    type: bool
    default: false
attributes:
  check_mode:
    description: It changes nothing; in check mode it writes no report files either.
    support: full
  diff_mode:
    description: Shows no diffs, as it changes nothing.
    support: none
seealso:
  - module: trempe.hardening.apply
"""

EXAMPLES = r"""
- name: Audit, and fail where a rule of high severity is not met
  trempe.hardening.audit:
    tier: standard
    fail_on: high
    min_score: 90
    full: true
  become: true
  register: audited
  failed_when: false # what was found is kept first

- name: Keep what was found, on the controller
  ansible.builtin.copy:
    content: "{{ audited.report | to_nice_json }}"
    dest: "audits/{{ inventory_hostname }}.json"
    mode: "0600"
  delegate_to: localhost
  when: audited.report is defined

- name: See whether that is enough
  ansible.builtin.fail:
    msg: "{{ audited.msg }}"
  when: audited.msg is defined

- name: Judge by the SCAP Security Guide, and write an ARF
  trempe.hardening.audit:
    content: ssg-rhel9
    profile: cis_server_l1
    reports:
      arf: /var/lib/trempe/arf.xml
      html: /var/lib/trempe/audit.html
  become: true

- name: Fetch the page
  ansible.builtin.fetch:
    src: /var/lib/trempe/audit.html
    dest: "audits/{{ inventory_hostname }}.html"
    flat: true
  become: true
"""

RETURN = r"""
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
  description: The share of judged rules that are met, from 0 to 100.
  returned: success
  type: float
summary:
  description: How many rules ended with each result.
  returned: success
  type: dict
failing:
  description: Rules that are not met, with severity and evidence.
  returned: success
  type: list
  elements: dict
errors:
  description: Rules that could not be looked at, and why.
  returned: success
  type: list
  elements: dict
exceptions:
  description: The exceptions that were made, each with its rule, whether it is expired, and where it was written.
  returned: success
  type: list
  elements: dict
below:
  description: The thresholds that the machine is below, in sentences.
  returned: success
  type: list
  elements: str
problems:
  description: What the audit as a whole ran into.
  returned: success
  type: list
  elements: str
notes:
  description: What else is to be known.
  returned: success
  type: list
  elements: str
report:
  description: The agent's report, as C(agent audit --format json) writes it.
  returned: when I(full) is true
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trempe.hardening.plugins.module_utils import agent

SEVERITIES = ["low", "medium", "high"]


def words(params, check_mode):
    """What the agent is called with, and what it reads from standard input."""
    options, said = agent.selection(params)
    if params["content"]:
        options += ["--content", params["content"]]
    if not check_mode:
        for form in sorted(params["reports"]):
            options += ["--report", "%s=%s" % (form, params["reports"][form])]
    return ["audit"] + options, said


def below(params, told):
    """The thresholds that a machine is below, in sentences."""
    found = []
    if params["fail_on"] != "none":
        asked = SEVERITIES[SEVERITIES.index(params["fail_on"]):]
        # Content of others has rules of unknown severity, too.
        ids = [rule["id"] for rule in told["failing"] if rule["severity"] in asked or params["fail_on"] == "low"]
        if ids:
            found.append("not met, of severity %s: %s" % (" or ".join(asked), ", ".join(ids)))
    if params["min_score"] is not None and told["score"] < params["min_score"]:
        found.append("the score is %s, asked for is %s" % (told["score"], params["min_score"]))
    expired = [one["rule"] for one in told["exceptions"] if one["expired"]]
    if params["fail_on_expired"] and expired:
        found.append("exceptions are over: %s" % ", ".join(expired))
    unseen = ["%s (%s)" % (rule["id"], rule.get("reason", "no reason given")) for rule in told["errors"]]
    if params["fail_on_error"] and unseen:
        found.append("could not be looked at: %s" % ", ".join(unseen))
    return found


def unwritten(reports, err):
    """What the agent says on standard error of the files that it was to write."""
    return [line for line in err.splitlines() if any(str(path) in line for path in reports.values())]


def main():
    arguments = agent.selection_arguments()
    arguments.update(
        content={"type": "str"},
        fail_on={"type": "str", "choices": ["none"] + SEVERITIES, "default": "none"},
        min_score={"type": "float"},
        fail_on_expired={"type": "bool", "default": True},
        fail_on_error={"type": "bool", "default": True},
        reports={"type": "dict", "default": {}},
        full={"type": "bool", "default": False},
    )
    module = AnsibleModule(
        arguments,
        supports_check_mode=True,
        mutually_exclusive=[("tier", "profile"), ("content", "exceptions"), ("content", "values")],
    )
    called = agent.Agent(module)
    code, report, err = called.json(*words(module.params, module.check_mode))
    told = agent.summed_up(report)
    told.update(changed=False, below=below(module.params, told))
    if module.params["full"]:
        told["report"] = report
    because = told["below"] + told["problems"]
    if code not in (agent.GOOD, agent.DEVIATES):
        # A report file that could not be written is told on standard error alone.
        because += unwritten(module.params["reports"], err)
        if not because and not told["errors"]:
            because = [err or "the agent ended with %s" % code]
    if because:
        module.fail_json(msg="; ".join(because), rc=code, **told)
    module.exit_json(**told)


if __name__ == "__main__":
    main()
