# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the update server for tree and shard, and believe only what holds together (C1, C2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.canonical import sha256_hex
from ..._core.metadata import policy_tree
from ..._core.metadata import shard as published_shard
from ..._core.metadata.policy_tree import PolicyTree
from ..._core.metadata.shard import Membership, Shard
from ..._core.metadata.sync_result import ConfigurationRejected, SyncResult
from ..._core.metadata.trusted import Enrollment, TrustedConfiguration, TrustedFile
from ..._core.policy import of_products
from ..._core.policy.inheritance import Layer, layers_of, resolve
from ..._core.settings.endpoint import EndpointDocument
from ..._core.settings.managed import in_force
from ..._core.settings.update_server import UpdateServer
from ..._core.validation.errors import InvalidDocument, ValidationErrors
from ..._core.values import field, frozen
from ..._host.host import Host
from ..._host.http.client import HttpClient
from .fetch import fetch
from .store import SHARD, TREE, ConfigurationStore
from .verify import check_expiry, check_issue, malformed, read_verified


@frozen
class TrustAnchor:
    """The keys that may sign a configuration, and the last adopted one, below whose serials none is accepted.

    ``known`` is None on an endpoint that has adopted none.
    """

    signers: tuple[str, ...]
    known: TrustedConfiguration | None = None


@frozen
class VerifiedConfiguration:
    """A configuration that was verified and may be adopted, with its sealed files."""

    adopted: TrustedConfiguration
    contents: Mapping[str, bytes]
    validators: Mapping[str, Mapping[str, Any]]

    def adopt(self, store: ConfigurationStore, *, beside: tuple[TrustedConfiguration, ...] = ()) -> None:
        """Put it in force. The validators are stored last, since they describe the stored files."""
        store.keep(self.adopted, self.contents, beside=beside)
        store.store_validators(self.validators)


@frozen
class ConfigurationUpdater:
    """One refresh from the update server, for the document that a converge brought.

    ``held`` is what was adopted under the same enrollment: requests are conditional on its files.
    """

    host: Host
    document: EndpointDocument
    server: UpdateServer
    trust: TrustAnchor
    client: HttpClient
    held: TrustedConfiguration | None = None
    _validators: dict[str, dict[str, Any]] = field(default_factory=dict)

    def refresh(self) -> VerifiedConfiguration | None:
        """Fetch and verify the configuration to adopt; None where the held one is current.

        Raises ConfigurationRejected, or OSError for a failure of this host.
        """
        fresh_tree = self._fetch(policy_tree.FILE, TREE, _part(self.held, TREE))
        tree = None if fresh_tree is None else self._tree(fresh_tree)
        number = published_shard.shard_of(self.document.endpoint, self._shards(tree and tree[0]))
        fresh_shard = self._fetch(published_shard.file_of(number), SHARD, _part(self.held, SHARD))
        if fresh_tree is None and fresh_shard is None:
            self._check_held_expiry()
            return None
        tree_file = self._file(TREE, fresh_tree)
        tree = tree or self._tree(tree_file)
        shard_file = self._file(SHARD, fresh_shard)
        adopted = self._adopted(tree, self._shard(shard_file, tree[0], number))
        return VerifiedConfiguration(adopted, {TREE: tree_file, SHARD: shard_file}, self._validators)

    def keep_validators(self) -> None:
        """Store the validators of files that have not changed."""
        self._store.store_validators(self._validators)

    @property
    def _store(self) -> ConfigurationStore:
        return ConfigurationStore(self.host)

    def _fetch(self, path: str, kind: str, held: TrustedFile | None) -> bytes | None:
        """A file that is not the one that is held; None for that one."""
        have = held is not None and self._store.content(kind, held) is not None
        validators = self._store.validators(path, held) if have and held is not None else {}
        fetched = fetch(self.client, f"{self.server.url}/{path}", validators, kind)
        digest = held.sha256 if fetched.content is None and held is not None else sha256_hex(fetched.content or b"")
        self._validators[path] = {**fetched.validators, "held": digest}
        return None if have and held is not None and digest == held.sha256 else fetched.content

    def _shards(self, tree: PolicyTree | None) -> int:
        if tree is not None:
            return tree.shards
        return self.held.shards if self.held is not None else published_shard.SHARDS

    def _file(self, kind: str, fresh: bytes | None) -> bytes:
        if fresh is not None:
            return fresh
        accepted = _part(self.held, kind)
        held = None if accepted is None else self._store.content(kind, accepted)
        if held is None:
            raise OSError(f"the {kind} that was adopted is gone")
        return held

    def _tree(self, content: bytes) -> tuple[PolicyTree, TrustedFile]:
        tree, trusted = read_verified(self.host, content, self.trust.signers, PolicyTree)
        check_issue(TREE, trusted, _part(self.trust.known, TREE), self.host.now())
        return tree, trusted

    def _shard(self, content: bytes, tree: PolicyTree, number: int) -> tuple[Shard, TrustedFile]:
        """The shard, by the keys that the tree names: a key that it drops signs nothing any more."""
        shard, trusted = read_verified(self.host, content, tree.signers, Shard)
        if shard.number != number:
            why = f"shard: it is number {shard.number}, this endpoint's is {number}"
            raise ConfigurationRejected(SyncResult.MALFORMED, why)
        check_issue(SHARD, trusted, self._known_shard(number), self.host.now())
        return shard, trusted

    def _known_shard(self, number: int) -> TrustedFile | None:
        """What was adopted last of this very shard: each has serials of its own."""
        known = self.trust.known
        if known is None or published_shard.shard_of(known.basis.endpoint, known.shards) != number:
            return None
        return known.shard

    def _check_held_expiry(self) -> None:
        """Unchanged files may have expired: a server that publishes nothing any more must be noticed."""
        for kind in (TREE, SHARD):
            held = _part(self.held, kind)
            if held is not None:
                check_expiry(kind, held, self.host.now())

    def _adopted(
        self, verified_tree: tuple[PolicyTree, TrustedFile], verified_shard: tuple[Shard, TrustedFile]
    ) -> TrustedConfiguration:
        (tree, tree_file), (shard, shard_file) = verified_tree, verified_shard
        place = self._place(shard)
        try:
            layers = layers_of(place.domain, root=tree.root, domains=tree.domains, endpoint=place.policy)
            policy, products = _policies(layers)
            in_force(self.document, place, policy, products)
        except InvalidDocument as error:
            raise ConfigurationRejected(SyncResult.INVALID_POLICY, "; ".join(map(str, error.errors[:3]))) from None
        return TrustedConfiguration(
            basis=Enrollment.of(self.document, self.server),
            at=self.host.now(),
            signers=tree.signers,
            tree=tree_file,
            shard=shard_file,
            shards=tree.shards,
            domain=place.domain,
            ordinal=place.ordinal,
            policy=policy,
            channels=place.channels,
            samples=tree.samples,
            products=products,
        )

    def _place(self, shard: Shard) -> Membership:
        try:
            place = shard.membership(self.document.endpoint)
        except InvalidDocument as error:
            raise malformed(SHARD, error) from None
        if place is None:
            why = f"the update server has no endpoint {self.document.endpoint}"
            raise ConfigurationRejected(SyncResult.NOT_REGISTERED, why)
        return place


def _policies(layers: Sequence[Layer]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The policy that the layers make for all products, and those of the products for which they set something."""
    errors = ValidationErrors()
    of_products.check(layers, None, errors)
    errors.check()
    own = of_products.policies(layers, of_products.named(layers))
    policy = resolve(of_products.general(layers)).policy
    return policy.to_dict(), {name: one.to_dict() for name, one in own.items()}


def _part(adopted: TrustedConfiguration | None, kind: str) -> TrustedFile | None:
    """The tree or the shard of a configuration."""
    if adopted is None:
        return None
    return adopted.tree if kind == TREE else adopted.shard
