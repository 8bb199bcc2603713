# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes every task's result as one JSON line to the file that the environment names."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: action_results
type: notification
short_description: Task results as JSON lines
description: Writes task results to the file that E(EPP_TEST_RESULTS) names.
author: epp.autoupdate contributors
"""


class CallbackModule(CallbackBase):
    """The results of a run, for a test to read."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "action_results"

    def _record(self, kind: str, result: Any) -> None:
        host = getattr(result, "host", None) or result._host
        values = getattr(result, "result", None) or result._result
        task = getattr(result, "task", None) or result._task
        told = {"kind": kind, "host": host.get_name(), "action": task.action, "result": values}
        with open(os.environ["EPP_TEST_RESULTS"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(told, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)
