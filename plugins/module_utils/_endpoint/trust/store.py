# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was adopted from the update server, kept so that power loss leaves the old or the new (C3).

::

    adopted.json             what is in force, and of which two files it was made; replaced last, in one rename
    tree-<sha256>.sealed     the tree and the shard, as they were published and verified
    shard-<sha256>.sealed
    asked.json               what makes the next request conditional; to lose it costs one whole answer
    catalog.sealed         the last catalog that was accepted (see ``catalog.py``)

A file is named by its digest, so a pair that was not verified together can't come about. While a converge changes the
server, ``adopted.json`` holds two configurations, that of the old document and that of the new one: whichever document
a power loss leaves has its own.
"""

from __future__ import annotations

import json
import os
import syslog
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.canonical import readable_json, sha256_hex
from ..._core.metadata.trusted import Enrollment, TrustedConfiguration, TrustedFile
from ..._host.host import Host
from .. import paths

DIRECTORY = paths.ADOPTED_DIRECTORY
RECORD = DIRECTORY + "/adopted.json"
_ASKED = DIRECTORY + "/asked.json"
_SEALED = ".sealed"
TREE, SHARD = "tree", "shard"


class ConfigurationStore:
    """The adopted configuration of one host; writers hold ``paths.SYNC_LOCK``."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def read(self, basis: Enrollment) -> TrustedConfiguration | None:
        """What was adopted under this basis; None where nothing was, or nothing that can be understood."""
        return next((adopted for adopted in self.all() if adopted.basis == basis), None)

    def all(self) -> tuple[TrustedConfiguration, ...]:
        """Every configuration that is kept."""
        content = self._host.read(RECORD)
        if content is None:
            return ()
        try:
            return tuple(TrustedConfiguration.from_dict(one) for one in json.loads(content)["adopted"])
        except (ValueError, TypeError, KeyError, AttributeError):
            self._host.log(syslog.LOG_WARNING, f"{RECORD} can't be understood; the configuration is asked for anew")
            return ()

    def content(self, kind: str, accepted: TrustedFile) -> bytes | None:
        """The sealed file of what was accepted; None where it is missing or damaged."""
        content = self._host.read(_file(kind, accepted))
        return content if content is not None and sha256_hex(content) == accepted.sha256 else None

    def keep(
        self,
        adopted: TrustedConfiguration,
        contents: Mapping[str, bytes],
        *,
        beside: Iterable[TrustedConfiguration] = (),
    ) -> None:
        """Put a configuration in force, the files first; those ``beside`` stay for their own documents."""
        for kind, accepted in ((TREE, adopted.tree), (SHARD, adopted.shard)):
            if self.content(kind, accepted) is None:
                self._host.write(_file(kind, accepted), contents[kind])
        kept = [adopted, *(one for one in beside if one.basis != adopted.basis)]
        plain = {"format": 1, "adopted": [one.to_dict() for one in kept]}
        self._host.write(RECORD, readable_json(plain))
        self._sweep(kept)

    def validators(self, path: str, held: TrustedFile) -> dict[str, Any]:
        """The validators of the file at ``path``, none where they belong to another version than the held one."""
        known = self._asked().get(path)
        return known if isinstance(known, dict) and known.get("held") == held.sha256 else {}

    def store_validators(self, validators: Mapping[str, Mapping[str, Any]]) -> None:
        """Store the validators of the files that are held now, by path."""
        if validators and {**self._asked(), **validators} != self._asked():
            self._host.write(_ASKED, readable_json(dict(validators)))

    def _asked(self) -> dict[str, Any]:
        try:
            known = json.loads(self._host.read(_ASKED) or b"{}")
        except ValueError:
            return {}
        return known if isinstance(known, dict) else {}

    def _sweep(self, kept: Iterable[TrustedConfiguration]) -> None:
        """Remove the files of configurations that are over, samples that are published no more, and what a killed
        writer left."""
        names = [_file(kind, of) for one in kept for kind, of in ((TREE, one.tree), (SHARD, one.shard))]
        if not any(one.samples for one in kept):
            self._host.remove(paths.SAMPLES)
        for name in os.listdir(self._host.real(DIRECTORY)):
            path = f"{DIRECTORY}/{name}"
            over = name.startswith((f"{TREE}-", f"{SHARD}-")) and path not in names
            if over or name.endswith(".epp-new"):
                self._host.remove(path)


def _file(kind: str, accepted: TrustedFile) -> str:
    return f"{DIRECTORY}/{kind}-{accepted.sha256}{_SEALED}"
