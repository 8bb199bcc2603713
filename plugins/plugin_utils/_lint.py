# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only ``lint`` looks at: the settings of update servers, and policy that is legal but doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationError,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._module.server_documents import WantedServer
from ansible_collections.epp.autoupdate.plugins.plugin_utils._doubts import doubts
from ansible_collections.epp.autoupdate.plugins.plugin_utils._findings import Finding, Findings
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import FailedTemplate
from ansible_collections.epp.autoupdate.plugins.plugin_utils._play import Template
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import policy_paths
from ansible_collections.epp.autoupdate.plugins.plugin_utils._server_inventory import named, server_options


def server_errors(raw: Mapping[str, Any], template: Template) -> tuple[ValidationError, ...]:
    """What is wrong with the settings of an update server, by their variables."""
    try:
        WantedServer.from_options(server_options(raw, template))
    except FailedTemplate as failed:
        return (failed.error,)
    except InvalidDocument as invalid:
        return tuple(map(named, invalid.errors))
    return ()


def doubtful(
    documents: Mapping[str, EndpointDocument],
    values: Mapping[str, Mapping[str, Any]],
    unfit: Mapping[str, ValidationError],
    variables: Mapping[str, Mapping[str, Any]],
) -> list[Finding]:
    """The doubts about all hosts, by the variables that set the keys.

    ``values`` are the hosts' variables as they are read, ``unfit`` the errors of schedules that are too short, and
    ``variables`` what the inventory gives, for the places.
    """
    found = Findings(variables)
    for host, document in documents.items():
        told = [*doubts(document), *_too_short(unfit.get(host))]
        paths = policy_paths(values[host]) if told else {}
        for key, text in told:
            path = paths.get(key, f"policy.{key}")
            found.add((host,), path, f"{path}: {text}")
    return list(found)


def _too_short(error: ValidationError | None) -> Iterator[tuple[str, str]]:
    if error is not None:
        yield error.path, f"{error.found} is not {error.allowed}"
