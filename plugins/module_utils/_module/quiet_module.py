# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module whose result does not repeat its options.

URLs and command lines among them may hold secrets, and Ansible prints what a module returned, whole, at ``-vvv``.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

_UNSAID: dict[str, Any] = {"invocation": {}}


class QuietModule(AnsibleModule):  # type: ignore[misc]  # it has no types here
    """An AnsibleModule without ``invocation.module_args`` in its result."""

    def exit_json(self, **result: Any) -> Any:
        return super().exit_json(**{**_UNSAID, **result})

    def fail_json(self, msg: str, **result: Any) -> Any:
        return super().fail_json(msg, **{**_UNSAID, **result})
