# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter ``endpoint_name``: see ``endpoint_name.yml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import VARIABLE, name_of


def endpoint_name(variables: Any) -> str:
    """The name by which the host with these variables is known as an endpoint."""
    if not isinstance(variables, Mapping) or "inventory_hostname" not in variables:
        raise AnsibleFilterError("endpoint_name takes the variables of a host, such as hostvars['n1']")
    return str(name_of(str(variables["inventory_hostname"]), variables.get(VARIABLE)))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"endpoint_name": endpoint_name}
