# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter ``server_settings``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import FORMAT, ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server_specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import plain


def server_settings(given: Any) -> dict[str, Any]:
    """The whole settings of an update server, with what was not given filled in."""
    if not isinstance(given, dict):
        raise AnsibleFilterError("server_settings takes a mapping")
    try:
        return ServerSettings.from_dict({"format": FORMAT, **plain(server_specs.server_settings(), given)}).to_dict()
    except InvalidDocument as invalid:
        raise AnsibleFilterError(f"the server's settings are refused: {invalid}") from invalid


class FilterModule:
    """What Ansible asks for filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"server_settings": server_settings}
