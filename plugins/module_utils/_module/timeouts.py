# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``timeout`` of modules that wait."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from .._core.durations import parse_duration


def seconds(module: AnsibleModule) -> float:
    """How long to wait; what is no duration ends the module."""
    try:
        return float(parse_duration(module.params["timeout"]))
    except ValueError as error:
        return float(module.fail_json(msg=f'timeout: "{module.params["timeout"]}" is {error}'))
