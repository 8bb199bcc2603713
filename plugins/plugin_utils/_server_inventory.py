# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of an update server, as the options of the module ``server``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server_specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import plain
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import read_variables
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import PREFIX

_OF_WEB = {"web": "server"}
"""Variables of the section ``web`` whose option has another name."""
_WEB = (
    *("url", "web", "listen", "tls_certificate", "tls_key"),
    *("max_connections", "retry_after", "verify_url", "reports"),
)
_SECTIONS = tuple(name for name in server_specs.server_settings() if name != "web")
_OWN = ("state", "installroot")
_INSTALL = "install"
READ = tuple(f"server_{name}" for name in (*_OWN, *_SECTIONS, *_WEB, _INSTALL))
"""The variables that decide about an update server, without their prefix."""


def server_options(variables: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, Any]:
    """The options of the module that the host's variables make; what is empty counts as not given.

    ``require`` is False where the playbook installs what is missing.
    """
    values = {
        name.partition("_")[2]: one
        for name, one in read_variables(variables, template, names=READ).items()
        if one != ""
    }
    web = {_OF_WEB.get(name, name): values[name] for name in _WEB if values.get(name) not in (None, [])}
    options = {name: values[name] for name in (*_OWN, *_SECTIONS) if values.get(name) is not None}
    if options.get("state") == "absent":
        return {name: options[name] for name in _OWN if name in options}
    return {**plain(server_specs.server(), {**options, "web": web}), "require": not _true(values.get(_INSTALL, True))}


def named(error: ValidationError) -> ValidationError:
    """The error with the name of its variable."""
    section, _dot, rest = error.path.partition(".")
    if section == "web" and rest:
        variable = next((name for name, option in _OF_WEB.items() if option == rest), rest)
        return ValidationError(f"{PREFIX}server_{variable}", error.found, error.allowed)
    return ValidationError(f"{PREFIX}server_{error.path}", error.found, error.allowed)


def _true(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "yes", "on", "1", "t", "y")
