"""Writes what came of every task to the file $TREMPE_RESULTS, a line of JSON each, for the tests."""

import json
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Called by Ansible after each task on each host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "tell"

    def tell(self, status, result):
        """One task on one host."""
        line = {"host": result._host.get_name(), "task": result._task.get_name(), "status": status, "result": result._result}
        with open(os.environ["TREMPE_RESULTS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self.tell("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.tell("failed", result)

    def v2_runner_on_unreachable(self, result):
        self.tell("unreachable", result)
