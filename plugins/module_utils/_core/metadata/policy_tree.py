# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published client tree: the policy of root and domains, and by whose keys it is signed (C1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical import canonical_json, digest
from ..settings.update_server import signer
from ..validation.parsers import InvalidValue, integer, listing
from ..validation.strings import domain_path
from ..values import frozen
from .header import NAMESPACE, Header, header_fields, mapping, parse_header

KIND = "tree"
FILE = "configuration/tree.json"
"""Where it lies below the server's base URL."""
MAX_SHARDS = 65536


@frozen
class PolicyTree:
    """Root and domains with the keys that each sets, as documents hold them; ``shards`` is how many shards there are.

    ``signers`` are the public keys (``ssh-ed25519 AAAA...``) by which this and later documents may be signed: whoever
    accepts the tree trusts them from then on, and no others. So a key is followed by the next one, with overlap.
    ``samples`` is the SHA-256 of the manifest of the probe's samples (``samples.py``); without any it is empty, and not
    on the wire.
    """

    kind = KIND
    namespace = NAMESPACE

    header: Header
    signers: tuple[str, ...]
    shards: int
    root: Mapping[str, Any]
    domains: Mapping[str, Mapping[str, Any]]
    samples: str = ""

    @classmethod
    def from_bytes(cls, content: bytes) -> PolicyTree:
        """Read what ``to_bytes`` wrote; raises InvalidDocument with all errors. Policies are read when resolved."""
        header, values = parse_header(content, KIND, _KEYS, {"samples": _samples})
        return cls(header, **values)

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""
        return canonical_json({**header_fields(KIND, self.header), **self._content()})

    def digest(self) -> str:
        """Equal for trees that differ in their header only."""
        return digest(self._content())

    def _content(self) -> dict[str, Any]:
        signers = list(self.signers)
        plain = {"signers": signers, "shards": self.shards, "root": self.root, "domains": self.domains}
        return {**plain, "samples": self.samples} if self.samples else plain


def _domains(raw: object) -> dict[str, dict[str, Any]]:
    domains = mapping(raw)
    for path, policy in domains.items():
        if not domain_path(path):
            raise InvalidValue("domains with a path (the root has a key of its own)")
        mapping(policy)
    return domains


def _samples(raw: object) -> str:
    from .catalog_fields import sha256  # what most trees do without

    return sha256(raw)


_KEYS = {
    "signers": listing(signer, least=1, most=16),
    "shards": integer(1, MAX_SHARDS),
    "root": mapping,
    "domains": _domains,
}
