# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint has adopted from its update server (C1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..settings.endpoint import EndpointDocument
from ..settings.update_server import UpdateServer, signer
from ..values import asdict, frozen

FORMAT = 1


@frozen
class Enrollment:
    """What a configuration was adopted under. Another name, address or set of first keys is another enrollment."""

    endpoint: str
    url: str
    signers: tuple[str, ...]

    @classmethod
    def of(cls, document: EndpointDocument, server: UpdateServer) -> Enrollment:
        return cls(document.endpoint, server.url, server.signers)


@frozen
class TrustedFile:
    """A published document that was verified: Unix seconds; ``sha256`` is that of its sealed file.

    ``content`` is the digest of the document itself, which may be signed again.
    """

    serial: int
    expires: int
    sha256: str
    content: str


@frozen
class TrustedConfiguration:
    """A tree and a shard that were verified together, and what they make of this endpoint.

    ``at`` is when (Unix seconds). ``signers`` are the keys that are trusted since. ``shards`` is how many there are.
    ``policy`` is the effective one, as documents hold it. ``channels`` are the endpoint's channels by product (G1).
    ``products`` are the policies of those for which the tree sets something, whichever the endpoint has (D2).
    ``samples`` is the digest of the manifest of the probe's samples; empty where none are published (G3).
    """

    basis: Enrollment
    at: float
    signers: tuple[str, ...]
    tree: TrustedFile
    shard: TrustedFile
    shards: int
    domain: str
    ordinal: int
    policy: Mapping[str, Any]
    channels: Mapping[str, str] | None = None
    samples: str = ""
    products: Mapping[str, Mapping[str, Any]] | None = None

    @classmethod
    def from_dict(cls, raw: Any) -> TrustedConfiguration:
        """Read what ``to_dict`` wrote; raises TypeError, KeyError or ValueError on anything else."""
        basis = Enrollment(raw["basis"]["endpoint"], raw["basis"]["url"], _signers(raw["basis"]["signers"]))
        tree, shard = TrustedFile(**raw["tree"]), TrustedFile(**raw["shard"])
        plain = {key: raw[key] for key in ("at", "shards", "domain", "ordinal", "policy")}
        more = {"channels": raw.get("channels"), "samples": raw.get("samples", ""), "products": raw.get("products")}
        return cls(basis=basis, signers=_signers(raw["signers"]), tree=tree, shard=shard, **plain, **more)

    def to_dict(self) -> dict[str, Any]:
        unused = [key for key in ("channels", "samples", "products") if not getattr(self, key)]
        return {key: one for key, one in asdict(self).items() if key not in unused}

    @property
    def expires(self) -> int:
        """When the first of the two documents ends."""
        return min(self.tree.expires, self.shard.expires)

    @property
    def identity(self) -> str:
        """A word for this very configuration."""
        return f"{self.tree.serial}.{self.shard.serial}.{self.tree.sha256[:8]}.{self.shard.sha256[:8]}"


def _signers(raw: Any) -> tuple[str, ...]:
    return tuple(signer(key) for key in raw)
