# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server itself writes down: changes of tree, settings and keys, and what is published."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.audit.entry import AuditKind, Note
from ..._core.canonical import canonical_json, digest
from ..._core.metadata.catalog import KIND as CATALOG
from ..._core.metadata.keyring import Keyring
from ..._core.metadata.policy_tree import KIND as TREE
from ..._core.policy.change import ApplyTo, TreeChange
from ..._host.host import Host
from .. import paths
from ..fleet.dirty_shards import PREFIX
from ..publication.catalog import published_catalog
from ..publication.samples import samples_digest
from ..publication.signer import records
from .log import record
from .who import who

_SETTINGS_SEEN = paths.AUDIT + "/settings.json"
"""The digests of the sections of the settings, as they were written down last."""
_NAMED = 100
"""How many names a line has; the rest is counted."""


def policy_changed(change: TreeChange, result: Mapping[str, Any]) -> Note:
    """The values that a node is given, and the keys that it inherits again."""
    about = {"scope": change.scope.value, "name": change.name}
    if change.apply_to is not ApplyTo.ALL:
        about["apply_to"] = change.apply_to.value
    evidence = {"values": change.values, "inherit": list(change.inherit), "domains": _some(result["domains"])}
    return Note(AuditKind.POLICY_CHANGED, about, evidence=evidence)


def tree_changed(result: Mapping[str, Any]) -> Note:
    """Which domains and endpoints came, went, or are other ones now."""
    evidence: dict[str, Any] = {"registered": result["registered"]}
    for what in ("domains", "endpoints"):
        before, after = (result[side].get(what) or {} for side in ("before", "after"))
        both = before.keys() & after.keys()
        found = {
            "added": after.keys() - before.keys(),
            "removed": before.keys() - after.keys(),
            "changed": {name for name in both if before[name] != after[name]},
        }
        evidence[what] = {word: _some(sorted(names)) for word, names in found.items() if names}
    return Note(AuditKind.TREE_CHANGED, evidence=evidence)


def record_keys(host: Host, before: Keyring | None, after: Keyring) -> None:
    """Write down which keys sign and are trusted from now on, if these are others than before."""
    if before is not None and before.to_result() != after.to_result():
        evidence = {"before": before.to_result(), "after": after.to_result()}
        record(host, Note(AuditKind.KEY_ROTATED, {"name": after.current.name}, evidence=evidence))


def record_published(host: Host, connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Write down which documents were issued, under which serials, and what they have: the components of the catalog,
    and the samples that the tree names."""
    issued = list(names)
    if not issued:
        return
    known = records(connection)
    shards = [name for name in issued if name.startswith(PREFIX)]
    evidence: dict[str, Any] = {
        "documents": [
            {"name": name, "serial": known[name].serial} for name in issued if name in known and name not in shards
        ],
        "shards": len(shards),
    }
    if TREE in issued and samples_digest(host):
        evidence["samples"] = samples_digest(host)
    if CATALOG in issued:
        catalog = published_catalog(host)
        items = catalog.components if catalog else ()
        evidence["components"] = {item.name: item.version for item in items[:_NAMED]}
        evidence["component_count"] = len(items)
    record(host, Note(AuditKind.PUBLISHED, {"documents": _words(issued, shards)}, evidence=evidence))


def record_settings(host: Host) -> None:
    """Write down which sections of the settings have changed since that was done last, whoever changed them.

    Sections alone are named: they hold paths of keys, commands and addresses.
    """
    before = _seen(host)
    content = json.loads(host.read(paths.SETTINGS) or b"{}")
    after = {name: digest(section) for name, section in content.items()} if isinstance(content, dict) else {}
    if before == after:
        return
    if before is not None:
        sections = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        record(host, Note(AuditKind.SETTINGS_CHANGED, {"sections": ", ".join(sections)}))
    host.mkdir(paths.AUDIT, mode=0o700)
    host.write(_SETTINGS_SEEN, canonical_json(after, newline=True), mode=0o600)


def record_decision(host: Host, event: Mapping[str, Any]) -> None:
    """Write down one decision about a rollout: ``kind``, product, version, ring, reason and evidence.

    Whom the caller names as who decided is ``by`` in its evidence: a word beside the account that called.
    """
    named, caller = str(event["evidence"].get("by", "")), who()
    by = {**caller, "on_behalf_of": named} if named not in ("", caller["user"]) else caller
    about = {name: str(event[name]) for name in ("product", "version", "ring") if event[name]}
    record(host, Note(AuditKind(event["kind"]), about, event["reason"], event["evidence"], by))


def record_restored(host: Host) -> None:
    """Write down that the records were brought back from elsewhere, and so perhaps this audit, too."""
    record(host, Note(AuditKind.RESTORED, reason="the records were brought back from a backup"))


def _seen(host: Host) -> dict[str, str] | None:
    try:
        raw = json.loads(host.read(_SETTINGS_SEEN) or b"null")
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


def _words(issued: list[str], shards: list[str]) -> str:
    names = [name for name in issued if name not in shards]
    return ", ".join([*names, *([f"{len(shards)} shards"] if shards else [])])


def _some(names: Iterable[str]) -> dict[str, Any]:
    every = list(names)
    return {"count": len(every), "names": every[:_NAMED]}
