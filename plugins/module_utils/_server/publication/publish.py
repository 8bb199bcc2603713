# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publication: what the tree and the registry say becomes signed, static documents (C1).

The tree is looked at each time, for it costs one document. Of the shards only those are looked at that a change has
marked, or whose time has come: so what a change costs does not grow with the fleet.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..._core.metadata.header import UNISSUED
from ..._core.metadata.keyring import Keyring
from ..._core.metadata.policy_tree import FILE, KIND, PolicyTree
from ..._core.metadata.shard import SHARDS, Membership, Shard, file_of
from ..._core.settings.publication import ConfigurationSettings
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.lock import exclusively
from .. import paths
from ..channels.engines import engines_now
from ..channels.staged import MembershipOf, rings_digest
from ..components.base import Published
from ..components.configured import rollout_settings
from ..database.database import transaction
from ..fleet import dirty_shards
from ..fleet.nodes import Nodes, read_nodes
from ..fleet.policies import registered_products
from ..settings import read_section
from .catalog import pending_catalog
from .keys import ensure_keyring, rotate_due
from .samples import samples_digest
from .signer import PendingDocument, Signer, records

_WAIT_S = 600.0


@contextmanager
def publication_lock(host: Host) -> Iterator[None]:
    """The one lock of all that changes tree, registry or keys, or publishes; raises Busy."""
    if not host.exists(paths.STATE_DIRECTORY):
        host.mkdir(paths.STATE_DIRECTORY, mode=0o750)
    with exclusively(host, paths.PUBLISH_LOCK, "change or publication", wait=_WAIT_S):
        yield


def configuration_settings(host: Host) -> ConfigurationSettings:
    """The settings of publication; raises InvalidDocument."""
    return ConfigurationSettings.from_dict(read_section(host, "configuration"))


@frozen
class Renewal:
    """What a publication does beyond what has changed.

    ``repair``: compare every file with what was published, and rotate keys that are due. ``anew``: issue every
    document, changed or not. ``above``: every new serial is higher than this one.
    """

    repair: bool = False
    anew: bool = False
    above: int = 0


CHANGES_ONLY = Renewal()


def publish(host: Host, connection: sqlite3.Connection, renewal: Renewal = CHANGES_ONLY) -> list[str]:
    """Issue what has to be issued of tree and shards; returns their names. To be called under ``publication_lock``."""
    repair, anew = renewal.repair, renewal.anew
    ring = _keyring(host, connection, repair=repair)
    signer = Signer(host, connection, ring.current, configuration_settings(host).lifetime, renewal.above)
    tree = pending_tree(read_nodes(connection), ring, samples_digest(host))
    done = signer.issue([tree], repair=repair, anew=anew)
    _mark_moved(host, connection)
    marked = dirty_shards.marked(connection)
    due = marked.union(signer.due(map(_place, range(SHARDS)), repair=repair))
    numbers = [number for number in range(SHARDS) if anew or dirty_shards.document(number) in due]
    membership = MembershipOf.now(host)
    drafts = [pending_shard(connection, number, membership) for number in numbers]
    done += signer.issue(drafts, repair=repair, anew=anew)
    # What was marked and says the same as before (a change was taken back) is not dirty either.
    dirty_shards.clear(connection, marked)
    return done


def publish_catalog(
    host: Host,
    connection: sqlite3.Connection,
    published: Iterable[Published | None],
    renewal: Renewal = CHANGES_ONLY,
) -> list[str]:
    """Issue the catalog of what is published, if need be. To be called under ``publication_lock``."""
    lifetime = configuration_settings(host).lifetime
    signer = Signer(host, connection, ensure_keyring(host).current, lifetime, renewal.above)
    whole = [*published, engines_now(host, connection)]
    return signer.issue([pending_catalog(whole)], repair=renewal.repair, anew=renewal.anew)


def pending_tree(nodes: Nodes, ring: Keyring, samples: str) -> PendingDocument:
    """The tree as it is on record, with the keys that are trusted from then on, and the digest of the samples."""
    root = {section: dict(keys) for section, keys in nodes[""].own.items()}
    domains = {path: node.values for path, node in nodes.items() if path}
    return PendingDocument(KIND, FILE, PolicyTree(UNISSUED, ring.signers, SHARDS, root, domains, samples))


def pending_shard(connection: sqlite3.Connection, number: int, membership: MembershipOf) -> PendingDocument:
    """One shard as the registry says, with the channels of its endpoints."""
    return PendingDocument(*_place(number), Shard(UNISSUED, number, _endpoints(connection, number, membership)))


def _endpoints(connection: sqlite3.Connection, number: int, membership: MembershipOf) -> dict[str, Any]:
    """The endpoints of a shard, by name."""
    rows = connection.execute(
        "SELECT name, domain, ordinal, policy, product, further FROM endpoints WHERE shard = ?", (number,)
    )
    found = {}
    for row in rows:
        domain, policy = row["domain"] or "", json.loads(row["policy"]) if row["policy"] else None
        channels = membership.channels(row["name"], domain, row["ordinal"], registered_products(row))
        found[row["name"]] = Membership(row["domain"], row["ordinal"], policy, channels).to_dict()
    return found


def _mark_moved(host: Host, connection: sqlite3.Connection) -> None:
    """Mark every shard where endpoints are in other rings than those by which the shards were published."""
    wanted = rings_digest(rollout_settings(host))
    row = connection.execute("SELECT digest FROM published_rings").fetchone()
    if wanted == ("" if row is None else row["digest"]):
        return
    with transaction(connection):
        rows = [(dirty_shards.document(number),) for number in range(SHARDS)]
        connection.executemany("INSERT OR IGNORE INTO dirty VALUES (?)", rows)
        connection.execute("DELETE FROM published_rings")
        connection.execute("INSERT INTO published_rings VALUES (?)", (wanted,))


def _keyring(host: Host, connection: sqlite3.Connection, *, repair: bool) -> Keyring:
    if not repair:
        return ensure_keyring(host)
    in_use = {record.signer for record in records(connection).values()}
    return rotate_due(host, overlap=configuration_settings(host).overlap, in_use=in_use)


def _place(number: int) -> tuple[str, str]:
    return dirty_shards.document(number), file_of(number)
