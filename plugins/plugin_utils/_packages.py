# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of a product, installed by the package manager of its host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import products_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import ProductKind
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import is_false
from ansible_collections.epp.autoupdate.plugins.plugin_utils._definitions import definition_of

_CLAMAV = {
    "Debian": ["clamav", "clamav-freshclam", "clamav-daemon", "clamdscan"],
    "RedHat": ["clamav", "clamav-freshclam", "clamd"],
    "Suse": ["clamav"],
    "Archlinux": ["clamav"],
    "Alpine": ["clamav", "clamav-daemon", "clamav-clamdscan", "freshclam", "cronie"],
}
"""By family of systems. Definitions of products name their own; the other products have none."""
_BROKER = {
    "Debian": ["mosquitto-clients"],
    "RedHat": ["mosquitto"],
    "Suse": ["mosquitto-clients"],
    "Archlinux": ["mosquitto"],
    "Alpine": ["mosquitto-clients"],
}
"""What an endpoint needs to listen to a message broker."""
_FACTS = ("os_family", "pkg_mgr")


def packages_of(product: str, family: str, defined: Mapping[str, list[str]]) -> list[str]:
    """The packages of a product on a family of systems; raises AnsibleActionFail where they are not known.

    ``defined`` are those of the product's definition, by family.
    """
    known = _CLAMAV if product == ProductKind.CLAMAV.value else defined
    if not known:
        return []
    if family not in known:
        raise AnsibleActionFail(
            f"The packages of the product {product} on {family} are not known. Name them in autoupdate_packages, or "
            "install them by other means and set autoupdate_install to false."
        )
    return list(known[family])


def install(action: ActionBase, values: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
    """Run ``ansible.builtin.package`` in place of ``action``, with its host and connection; its result.

    ``values`` are variables without their prefix. The result has the names that were asked for in ``packages``.
    Raises AnsibleActionFail.
    """
    names = values.get("packages")
    defined = {name: definition_of(values, name).get("packages") or {} for name in products_of(values)}
    known = [name for name, packages in defined.items() if packages or name == ProductKind.CLAMAV.value]
    listens = bool((values.get("server") or {}).get("broker")) and not is_false(values.get("notify"))
    if names is None and not known and not listens:
        names = []
    if names == []:
        return {"changed": False, "packages": names}
    facts = _facts(action, task_vars)
    if names is None:
        family = str(facts["os_family"])
        names = list(dict.fromkeys(one for name in known for one in packages_of(name, family, defined[name])))
        names += _BROKER.get(family, []) if listens else []
    return {**_package(action, {"name": names, "use": facts["pkg_mgr"]}, task_vars), "packages": names}


def _facts(action: ActionBase, task_vars: Mapping[str, Any]) -> dict[str, Any]:
    """The family of systems and the package manager of the host, which is asked where nobody has asked it before."""
    known = task_vars.get("ansible_facts") or {}
    if all(name in known for name in _FACTS):
        return {name: known[name] for name in _FACTS}
    found = action._execute_module(
        module_name="ansible.builtin.setup",
        module_args={"gather_subset": ["!all", "!min", "distribution", "pkg_mgr"]},
        task_vars=task_vars,
    )
    if found.get("failed") or found.get("unreachable"):
        raise AnsibleActionFail(f"The family of systems is not known: {found.get('msg')}", result=found)
    return {name: found["ansible_facts"].get(f"ansible_{name}", "unknown") for name in _FACTS}


def _package(action: ActionBase, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
    task = action._task.copy()
    task.async_val = 0
    task.args = {"state": "present", **arguments}
    loaders = action._shared_loader_obj
    package = loaders.action_loader.get(
        "ansible.builtin.package",
        task=task,
        connection=action._connection,
        play_context=action._play_context,
        loader=action._loader,
        templar=action._templar,
        shared_loader_obj=loaders,
    )
    result: dict[str, Any] = package.run(task_vars=task_vars)
    result.pop("invocation", None)
    return result
