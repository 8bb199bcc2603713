# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy that an inventory's variables set: its layers, what they make together, and where each key is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy import of_products
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.inheritance import (
    ENDPOINT,
    Layer,
    layers_of,
    resolve,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import products_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationError,
    ValidationErrors,
    show,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.parsers import InvalidValue
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.strings import domain_path
from ansible_collections.epp.autoupdate.plugins.module_utils._module import spec_parts, specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import plain

PREFIX = "autoupdate_"
ROOT_POLICY, DOMAIN_POLICIES, ENDPOINT_POLICY = "policy", "domain_policies", "endpoint_policy"


def policy_layers(root: Any, domains: Any, domain: str, endpoint: Any) -> tuple[Layer, ...]:
    """The layers of an endpoint, with errors that name the variables they are in."""
    policy, above = specs.policy(), ancestry(domain)
    layers = layers_of(
        domain,
        root=plain_policy(policy, root or {}),
        domains={name: plain_policy(policy, domains[name]) for name in above if (domains or {}).get(name) is not None},
        endpoint=plain_policy(policy, endpoint or {}),
    )
    return tuple(Layer(layer.name, layer.values, _variable(layer, outermost=layer is layers[0])) for layer in layers)


def layers_of_host(values: Mapping[str, Any]) -> tuple[Layer, ...]:
    domain = values.get("domain") or ""
    return policy_layers(values.get(ROOT_POLICY), values.get(DOMAIN_POLICIES), domain, values.get(ENDPOINT_POLICY))


def resolved(layers: Sequence[Layer], options: Mapping[str, Any]) -> dict[str, Any]:
    """The policy that layers make, with what the products of the options have of their own; raises InvalidDocument."""
    whole = resolve(of_products.general(layers)).policy
    if not of_products.sets_products(layers):
        return whole.to_dict()
    # Ansible compiles what is imported in each run, and few inventories need this.
    from ansible_collections.epp.autoupdate.plugins.module_utils._module.products import known_products

    errors = ValidationErrors()
    of_products.check(layers, known_products(options), errors)
    errors.check()
    own = of_products.policies(layers, products_of(options))
    parts = {name: of_products.part_of(one, whole) for name, one in own.items() if one != whole}
    return {**whole.to_dict(), **({of_products.PRODUCTS: parts} if parts else {})}


def policy_paths(values: Mapping[str, Any]) -> dict[str, str]:
    """The variable that sets each key of a host's policy, with its path; keys that nobody sets are missing.

    Raises InvalidDocument for a policy that is refused.
    """
    layers = of_products.general(layers_of_host(values))
    prefixes = {layer.name: layer.prefix for layer in layers}
    return {key: f"{prefixes[name]}.{key}" for key, name in resolve(layers).origins.items() if name in prefixes}


def errors_of_domain(domain: Any, root: Any, domains: Any) -> tuple[ValidationError, ...]:
    try:
        domain_path(domain)
        layers, errors = policy_layers(root, domains, domain, None), ValidationErrors()
        resolve(of_products.general(layers))
        of_products.check(layers, None, errors)
        errors.check()
    except InvalidValue as unfit:
        return (ValidationError(f"{PREFIX}{DOMAIN_POLICIES}", show(domain), unfit.allowed),)
    except InvalidDocument as invalid:
        return invalid.errors
    return ()


def plain_policy(policy: spec_parts.Spec, given: Any) -> dict[str, Any]:
    """A policy as ``plain`` gives it, with its parts for single products."""
    found, parts = plain(policy, given), given.get(of_products.PRODUCTS)
    if not isinstance(parts, Mapping):
        return found
    read = {name: plain(policy, one) if isinstance(one, Mapping) else one for name, one in parts.items()}
    return {**found, of_products.PRODUCTS: read}


def ancestry(domain: str) -> list[str]:
    """A domain and those that it is in; the others have no say, and there may be thousands."""
    names = domain.split("/")
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]


def _variable(layer: Layer, *, outermost: bool) -> str:
    if outermost:
        return PREFIX + ROOT_POLICY
    return PREFIX + (ENDPOINT_POLICY if layer.name == ENDPOINT else f"{DOMAIN_POLICIES}[{layer.name}]")
