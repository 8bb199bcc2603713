# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what the modules ``update_events``, ``update_schedule`` and ``update_privileges`` do: set one section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.policy import Policy
from .._core.tree import Layer, resolve
from .._host.live_host import LocalHost
from . import specs
from .documents import plain
from .endpoint import agent_file, guarded, result_of
from .store import select_store

_SECTIONS = {"events": specs.events, "schedule": specs.schedule, "privileges": specs.privileges}


def module_for(section: str) -> AnsibleModule:
    """The module of a section: its keys, of which at least one must be given, and where to set them."""
    keys = _SECTIONS[section]()
    return AnsibleModule(
        argument_spec={**specs.scope(), **specs.root(), **keys},
        required_one_of=[sorted(keys)],
        supports_check_mode=True,
    )


def run(section: str) -> None:
    """Set the keys that are given, and end the module."""
    module = module_for(section)
    keys = _SECTIONS[section]()
    given = {section: plain(keys, {name: module.params[name] for name in keys})}
    module.exit_json(**guarded(module, lambda: _set(module, section, given)))


def _set(module: AnsibleModule, section: str, given: Mapping[str, Any]) -> dict[str, Any]:
    host = LocalHost(module.params["root"] or "")
    store = select_store(module.params["scope"], host=host, agent=agent_file)
    before = store.policy()
    after = changed_policy(before, given)
    converged = store.save(after, check=module.check_mode)
    result = result_of(converged, diff=module._diff)
    shown = {"before": before.to_dict()[section], "after": after.to_dict()[section]}
    if module._diff and before != after:
        header = {"before_header": f"policy.{section}", "after_header": f"policy.{section}"}
        result["diff"].insert(0, {**header, **{side: _lines(values) for side, values in shown.items()}})
    return {**result, **shown}


def changed_policy(before: Policy, given: Mapping[str, Any]) -> Policy:
    """The policy with some keys set; keys that this makes meaningless fall away. Raises InvalidDocument."""
    return resolve([Layer("before", before.to_dict()), Layer("task", given)]).policy


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(
        f"{key}: {str(value).lower() if isinstance(value, bool) else value}\n" for key, value in values.items()
    )
