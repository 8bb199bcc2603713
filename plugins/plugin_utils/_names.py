# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names by which endpoints are known, from their names in the inventory.

An inventory takes any text as the name of a host. Endpoints have names that fit into units, URLs and lists: a host
whose own name does not fit gets one that is made of it, with a part of its digest so that no two get the same.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError, show
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.parsers import InvalidValue
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.strings import endpoint_name

NAME = "endpoint_name"
"""The variable that sets it, without the prefix."""
VARIABLE = f"autoupdate_{NAME}"
_OTHER = re.compile(r"[^a-z0-9._-]+")
_LONGEST_PART = 60
_DIGITS = 8
_SHOWN_HOSTS = 5
_WITHOUT_LETTERS = "host"


def name_of(host: str, given: Any = None) -> Any:
    """The endpoint's name: what is ``given``, else the host's own where it may be one, else one that is made of it.

    What is given is returned as it is, for the library to refuse; only a number becomes its text.
    """
    if given is not None and given != "":
        return str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    try:
        return endpoint_name(host)
    except InvalidValue:
        return _made_of(host)


def _made_of(host: str) -> str:
    """Small letters of ASCII, and a part of the digest of the very name: ``web 01`` is ``web-01-a89c7fb9``."""
    plain = unicodedata.normalize("NFKD", host).encode("ascii", "ignore").decode().lower()
    readable = _OTHER.sub("-", plain)[:_LONGEST_PART].strip("._-") or _WITHOUT_LETTERS
    digest = hashlib.sha256(host.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable}-{digest[:_DIGITS]}"


def shared(names: Mapping[str, Any], others: Collection[str] = ()) -> Iterator[tuple[ValidationError, list[str]]]:
    """The error of each name that more than one host has, with those of ``names`` (from a host to its name) that do.

    ``others`` are hosts outside the play, which have their own names.
    """
    hosts_with: dict[str, list[str]] = {}
    for host, name in names.items():
        hosts_with.setdefault(str(name), []).append(host)
    for name, hosts in hosts_with.items():
        everybody = [*hosts, *([name] if name in others and name not in names else [])]
        if len(everybody) > 1:
            yield taken(name, everybody), hosts


def taken(name: str, hosts: Iterable[str]) -> ValidationError:
    """The error of hosts that have one name."""
    told = list(hosts)
    more = f" and {len(told) - _SHOWN_HOSTS} more" if len(told) > _SHOWN_HOSTS else ""
    who = ", ".join(show(host) for host in told[:_SHOWN_HOSTS]) + more
    return ValidationError(
        VARIABLE, show(name), f"the name of one endpoint alone (hosts {who} have it): set it for one of them"
    )
