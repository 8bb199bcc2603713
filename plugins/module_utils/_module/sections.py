# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules ``update_events``, ``update_schedule`` and ``update_privileges`` do: set one section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._host.local_host import LocalHost
from . import spec_parts, specs
from .documents import plain
from .endpoint import agent_file, guarded
from .scopes import Assignment, PolicyScope
from .store import select_store

_SECTIONS = {"events": specs.events, "schedule": specs.schedule, "privileges": specs.privileges}


def module_for(section: str) -> AnsibleModule:
    """The module of a section: its keys, of which at least one must be given or taken away, and where to set them."""
    keys = _SECTIONS[section]()
    return AnsibleModule(
        argument_spec={**specs.scope(keys), **spec_parts.installroot(), **keys},
        required_one_of=[[*sorted(keys), "inherit"]],
        supports_check_mode=True,
    )


def run(section: str) -> None:
    """Set the keys that are given, and end the module."""
    module = module_for(section)
    keys = _SECTIONS[section]()
    given = plain(keys, {name: module.params[name] for name in keys})
    module.exit_json(**guarded(module, lambda: _set(module, section, given)))


def _set(module: AnsibleModule, section: str, given: Mapping[str, Any]) -> dict[str, Any]:
    assignment = Assignment.from_options(section, module.params, given)
    host = LocalHost(module.params["installroot"] or "")
    store = select_store(on_server=assignment.place.on_server, host=host, agent=agent_file)
    saved = store.save(assignment, check=module.check_mode)
    before, after = (dict(sections.get(section, {})) for sections in (saved.before, saved.after))
    result = {"changed": saved.changed, "before": before, "after": after, **saved.more}
    if module._diff:
        result["diff"] = [*_difference(assignment.place, section, before, after), *saved.diff]
    return result


def _difference(
    place: PolicyScope, section: str, before: dict[str, Any], after: dict[str, Any]
) -> list[dict[str, str]]:
    if before == after:
        return []
    name = f"{place} policy.{section}" if place.on_server else f"policy.{section}"
    return [{"before_header": name, "after_header": name, "before": _lines(before), "after": _lines(after)}]


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(
        f"{key}: {str(value).lower() if isinstance(value, bool) else value}\n" for key, value in values.items()
    )
