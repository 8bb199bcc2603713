# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups of an inventory that say in which state and in which domain an endpoint is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.nodes import ancestry

FLEET = "autoupdate_fleet"
"""The group of all endpoints."""
STATES: Mapping[str, str] = {state.value: f"autoupdate_{state.value}" for state in EndpointState}
"""The group of each state."""
_DOMAIN = "autoupdate_domain_"
_OTHER = re.compile(r"[^A-Za-z0-9_]")
_DIGITS = 8


@dataclass(frozen=True)
class Domains:
    """The groups of domains: the name of each domain's, and the group that it is in.

    ``shared`` are domains whose names would make one group; each has a part of its digest in the name of its own.
    """

    names: Mapping[str, str]
    parents: Mapping[str, str]
    shared: tuple[str, ...] = ()


def of_domains(paths: Iterable[str]) -> Domains:
    """The groups of domains and of those above them; the root has none, it is the group of all endpoints."""
    everybody = sorted({above for path in paths for above in ancestry(path)})
    plain: dict[str, list[str]] = {}
    for path in everybody:
        plain.setdefault(_name(path), []).append(path)
    shared = tuple(path for paths_of_one in plain.values() if len(paths_of_one) > 1 for path in paths_of_one)
    names = {path: _name(path, digest=path in shared) for path in everybody}
    return Domains(names, {path: names.get(path.rpartition("/")[0], FLEET) for path in everybody}, shared)


def of_endpoint(endpoint: Mapping[str, Any], domains: Domains) -> Iterator[str]:
    """The groups that an endpoint is in itself; a state that is not known has none."""
    yield domains.names.get(endpoint["domain"], FLEET)
    if endpoint["state"] in STATES:
        yield STATES[endpoint["state"]]


def _name(path: str, *, digest: bool = False) -> str:
    name = _DOMAIN + _OTHER.sub("_", path)
    return f"{name}_{hashlib.sha256(path.encode()).hexdigest()[:_DIGITS]}" if digest else name
