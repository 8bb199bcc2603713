# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the inventory's variables, and what is wrong with those of one host. Nothing is contacted here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.faults import Fault, InvalidDocument, show, suggestion
from ansible_collections.epp.autoupdate.plugins.module_utils._core.fields import Unfit
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.texts import domain_path
from ansible_collections.epp.autoupdate.plugins.module_utils._core.tree import ENDPOINT, Layer, layers_of, resolve
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted, plain

PREFIX = "autoupdate_"
ROOT_POLICY, DOMAIN_POLICIES, ENDPOINT_POLICY = "policy", "domain_policies", "endpoint_policy"
_LAYERS = (ROOT_POLICY, DOMAIN_POLICIES, ENDPOINT_POLICY)
_OPTIONS = tuple(name for name in specs.endpoint() if name not in ("endpoint", "policy"))
READ = (*_LAYERS, *_OPTIONS)
"""The variables that decide about an endpoint, without their prefix."""

_OF_PLAYBOOKS = ("hosts", "install", "packages", "component_size", "link", "run_time")
KNOWN = tuple(PREFIX + name for name in (*READ, *_OF_PLAYBOOKS))


@dataclass(frozen=True)
class HostCheck:
    """What came out for one host: its faults, and its policy where there are none."""

    faults: tuple[Fault, ...]
    policy: Policy | None = None


@dataclass
class InventoryCheck:
    """Checks hosts one after the other; what many hosts share is checked once."""

    _trees: dict[str, tuple[Fault, ...]] = field(default_factory=dict)

    def host(self, name: str, values: Mapping[str, Any]) -> HostCheck:
        """Check the variables of one host (names without the prefix)."""
        if values.get("state") == "absent":
            return HostCheck(())
        misfits = tuple(_misfits(values))
        if misfits:
            return HostCheck(misfits)
        layers = _layers(values)
        policy, faults = _resolved(layers)
        faults = (*self._tree(values), *faults, *_of_options(name, values, policy))
        return HostCheck(tuple(dict.fromkeys(faults)), policy)

    def _tree(self, values: Mapping[str, Any]) -> tuple[Fault, ...]:
        """The faults of root and all domains, used or not."""
        root, domains = values.get(ROOT_POLICY) or {}, values.get(DOMAIN_POLICIES) or {}
        key = json.dumps([root, domains], sort_keys=True, default=str)
        if key not in self._trees:
            found = [fault for domain in domains for fault in _of_domain(domain, root, domains)]
            self._trees[key] = tuple(dict.fromkeys(found))
        return self._trees[key]


def unknown_variables(names: Iterator[str]) -> Iterator[str]:
    """A sentence for each variable that looks like ours and is not."""
    for name in names:
        if name.startswith(PREFIX) and name not in KNOWN:
            yield f"{name} is no variable of epp.autoupdate{suggestion(name, list(KNOWN))}"


def policy_layers(root: Any, domains: Any, domain: str, endpoint: Any) -> tuple[Layer, ...]:
    """The layers of an endpoint, with faults that name the variables they are in."""
    policy = specs.policy()
    layers = layers_of(
        domain,
        root=plain(policy, root or {}),
        domains={name: plain(policy, values) for name, values in (domains or {}).items() if values is not None},
        endpoint=plain(policy, endpoint or {}),
    )
    return tuple(replace(layer, prefix=_variable(layer, outermost=layer is layers[0])) for layer in layers)


def _variable(layer: Layer, *, outermost: bool) -> str:
    if outermost:
        return PREFIX + ROOT_POLICY
    return PREFIX + (ENDPOINT_POLICY if layer.name == ENDPOINT else f"{DOMAIN_POLICIES}[{layer.name}]")


def _layers(values: Mapping[str, Any]) -> tuple[Layer, ...]:
    domain = values.get("domain") or ""
    return policy_layers(values.get(ROOT_POLICY), values.get(DOMAIN_POLICIES), domain, values.get(ENDPOINT_POLICY))


def _resolved(layers: tuple[Layer, ...]) -> tuple[Policy | None, tuple[Fault, ...]]:
    try:
        return resolve(layers).policy, ()
    except InvalidDocument as invalid:
        return None, invalid.faults


def _of_domain(domain: Any, root: Any, domains: Any) -> tuple[Fault, ...]:
    path = f"{PREFIX}{DOMAIN_POLICIES}"
    try:
        domain_path(domain)
    except Unfit as unfit:
        return (Fault(path, show(domain), unfit.allowed),)
    return _resolved(policy_layers(root, domains, domain, None))[1]


def _of_options(name: str, values: Mapping[str, Any], policy: Policy | None) -> Iterator[Fault]:
    """The faults of the document; of its policy only where the layers alone were right."""
    options = {option: values[option] for option in _OPTIONS if option in values}
    resolved = {} if policy is None else {"policy": policy.to_dict()}
    try:
        Wanted.from_options({"endpoint": name, **resolved, **plain(specs.endpoint(), options)})
    except InvalidDocument as invalid:
        for fault in invalid.faults:
            if policy is not None or not fault.path.startswith("policy"):
                yield fault if fault.path == "endpoint" else _prefixed(fault)


def _prefixed(fault: Fault) -> Fault:
    return replace(fault, path=PREFIX + fault.path)


def _misfits(values: Mapping[str, Any]) -> Iterator[Fault]:
    """What is so wrong that the layers can't even be told apart."""
    for name in _LAYERS:
        value = values.get(name)
        if value is not None and not isinstance(value, Mapping):
            yield Fault(PREFIX + name, show(value), "a mapping")
    if not isinstance(values.get("domain") or "", str):
        yield Fault(f"{PREFIX}domain", show(values["domain"]), "a domain such as emea/finance")
