# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter ``effective_policy``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.inheritance import resolve
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.of_products import general, of_product
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import policy_layers


def effective_policy(
    root: Mapping[str, Any] | None,
    domains: Mapping[str, Any] | None = None,
    domain: str = "",
    endpoint: Mapping[str, Any] | None = None,
    product: str = "",
) -> dict[str, Any]:
    """The policy that is in force on an endpoint of this domain, for one of its products or for any."""
    try:
        layers = policy_layers(root, domains, domain or "", endpoint)
        return resolve(of_product(layers, product) if product else general(layers)).policy.to_dict()
    except InvalidDocument as invalid:
        raise AnsibleFilterError(f"the policy is refused: {invalid}") from invalid
    except (AttributeError, TypeError) as error:
        raise AnsibleFilterError("effective_policy takes mappings and the path of a domain") from error


class FilterModule:
    """What Ansible asks for filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"effective_policy": effective_policy}
