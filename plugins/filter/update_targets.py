# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter ``update_targets``: see ``update_targets.yml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.plugin_utils._update_targets import NobodyIsMeant, listed, targets


def update_targets(
    hostvars: Any, hosts: Sequence[str], groups: Mapping[str, Sequence[str]], domains: str | Sequence[str] = ""
) -> dict[str, Any]:
    """The endpoints that are meant, by the way on which each is reached."""
    try:
        return targets(hostvars, list(hosts), groups, listed(domains)).to_dict()
    except (InvalidDocument, NobodyIsMeant) as refused:
        raise AnsibleFilterError(str(refused)) from refused


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"update_targets": update_targets}
