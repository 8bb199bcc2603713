# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A published shard: what belongs to single endpoints, many of them in one document (C1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical import canonical_json, digest, sha256_hex
from ..schedule.ordinals import MOST_ORDINAL
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, integer, read_mapping
from ..validation.strings import domain_path
from ..values import frozen
from .header import NAMESPACE, Header, header_fields, mapping, parse_header
from .policy_tree import MAX_SHARDS

KIND = "shard"
SHARDS = 256
"""How many there are. Endpoints learn it from the tree, so that a server may have another number."""


@frozen
class Membership:
    """One endpoint's place in the client tree; ``policy`` are the keys that it sets itself, None for none.

    ``channels`` are its channels by product, of products whose rollout is staged (G1).
    """

    domain: str
    ordinal: int
    policy: Mapping[str, Any] | None = None
    channels: Mapping[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"domain": self.domain, "ordinal": self.ordinal}
        more = {"policy": self.policy, "channels": self.channels}
        return {**plain, **{key: dict(one) for key, one in more.items() if one}}


@frozen
class Shard:
    """Shard ``number``; ``endpoints`` maps names to what ``Membership.to_dict`` gives."""

    kind = KIND
    namespace = NAMESPACE

    header: Header
    number: int
    endpoints: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, content: bytes) -> Shard:
        """Read what ``to_bytes`` wrote; raises InvalidDocument. An endpoint's part is read by ``membership``."""
        header, values = parse_header(content, KIND, _KEYS)
        return cls(header, values["shard"], values["endpoints"])

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""
        return canonical_json({**header_fields(KIND, self.header), "shard": self.number, "endpoints": self.endpoints})

    def digest(self) -> str:
        """Equal for the same endpoints, whatever the header."""
        return digest(self.endpoints)

    def membership(self, endpoint: str) -> Membership | None:
        """An endpoint's place, None where it has none; raises InvalidDocument."""
        if endpoint not in self.endpoints:
            return None
        errors, where = ValidationErrors(), f"endpoints.{endpoint}"
        values = read_mapping(self.endpoints[endpoint], path=where, known=_MEMBERSHIP, errors=errors)
        for key in (key for key in ("domain", "ordinal") if key not in values and not errors.has_error(key)):
            errors.add(f"{where}.{key}", "", "there")
        errors.check()
        return Membership(**values)


def shard_of(endpoint: str, shards: int) -> int:
    """In which shard an endpoint is; the same for ever."""
    return int(sha256_hex(endpoint.encode())[:12], 16) % shards


def file_of(shard: int) -> str:
    """Where a shard lies below the server's base URL."""
    return f"configuration/shards/{shard}.json"


def _policy(raw: object) -> dict[str, Any]:
    policy = mapping(raw)
    if not policy:
        raise InvalidValue("a policy that sets something")
    return policy


def _channels(raw: object) -> dict[str, str]:
    from .channels import read_memberships  # what most endpoints do without

    return read_memberships(raw)


_MEMBERSHIP: Mapping[str, Parser] = {
    "domain": domain_path,
    "ordinal": integer(0, MOST_ORDINAL),
    "policy": _policy,
    "channels": _channels,
}
_KEYS: Mapping[str, Parser] = {
    "shard": integer(0, MAX_SHARDS - 1),
    "endpoints": mapping,
}
