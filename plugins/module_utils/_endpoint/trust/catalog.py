# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signed catalog, by which an endpoint believes its source's manifest (C2).

A web server that somebody has taken over can list what it likes; the keys that sign are not there.
"""

from __future__ import annotations

import json
from typing import Any

from ..._core.canonical import readable_json, sha256_hex
from ..._core.metadata.catalog import FILE, KIND, Catalog, CatalogManifest, deviation
from ..._core.metadata.channels import ChannelManifest
from ..._core.metadata.sync_result import ConfigurationRejected
from ..._core.metadata.trusted import Enrollment, TrustedFile
from ..._core.values import asdict, frozen
from ..._host.host import Host
from ..._host.http.client import HttpClient
from .. import paths
from .fetch import fetch
from .store import ConfigurationStore
from .verify import check_issue, read_verified

_SEALED = paths.ADOPTED_DIRECTORY + "/catalog.sealed"
_RECORD = paths.ADOPTED_DIRECTORY + "/catalog.json"


class UntrustedManifest(Exception):
    """The catalog does not name a source's manifest; the text is one sentence."""


@frozen
class ManifestVerifier:
    """Verifies the manifest of a product's source by the server's catalog. ``basis`` is the enrollment.

    With a ``channel`` only what the catalog names for that one is believed.
    """

    host: Host
    basis: Enrollment
    product: str
    channel: str = ""

    def check(self, manifest: bytes, client: HttpClient) -> None:
        """Raise UntrustedManifest unless the catalog names exactly these bytes; or ConfigurationRejected, or OSError.

        The bytes and not what they list: a path or the version as a whole is nobody's to change, either.
        """
        named = self._named(self.current(client))
        if not named:
            where = f" for the channel {self.channel}" if self.channel else ""
            raise UntrustedManifest(
                f"the server's signed catalog names no manifest of the product {self.product}{where}"
            )
        if all(deviation(one, len(manifest), lambda: sha256_hex(manifest)) for one in named):
            raise UntrustedManifest("the source's manifest is not the one that the server's signed catalog names")

    def _named(self, catalog: Catalog) -> list[CatalogManifest | ChannelManifest]:
        if not self.channel:
            return [one for one in catalog.manifests if one.product == self.product]
        offered = catalog.channel(self.product, self.channel)
        return [] if offered is None or offered.manifest is None else [offered.manifest]

    def current(self, client: HttpClient) -> Catalog:
        """The catalog that is published now, verified, no older than the last one; raises ConfigurationRejected."""
        record = self._record()
        held = self.host.read(_SEALED)
        if held is not None and sha256_hex(held) != record.get("sha256"):
            held = None
        validators = {} if held is None else record.get("said", {})
        fetched = fetch(client, f"{self.basis.url}/{FILE}", validators, KIND)
        content = held if fetched.content is None and held is not None else fetched.content or b""
        catalog, trusted = read_verified(self.host, content, self._signers(), Catalog)
        check_issue(KIND, trusted, _known(record), self.host.now())
        self._keep(content, {**asdict(trusted), "said": dict(fetched.validators)})
        return catalog

    def accepted(self) -> Catalog | None:
        """The catalog that was accepted last, be it over by now; None where none is here that can be verified."""
        held = self.host.read(_SEALED)
        if held is None or sha256_hex(held) != self._record().get("sha256"):
            return None
        try:
            return read_verified(self.host, held, self._signers(), Catalog)[0]
        except ConfigurationRejected:
            return None

    def _signers(self) -> tuple[str, ...]:
        """The keys that the adopted tree names."""
        adopted = ConfigurationStore(self.host).read(self.basis)
        return self.basis.signers if adopted is None else adopted.signers

    def _record(self) -> dict[str, Any]:
        """What was accepted last; empty where the enrollment has other first keys since."""
        try:
            record = json.loads(self.host.read(_RECORD) or b"{}")
        except ValueError:
            return {}
        same = isinstance(record, dict) and record.get("signers") == list(self.basis.signers)
        return record if same else {}

    def _keep(self, content: bytes, more: dict[str, Any]) -> None:
        record = {"signers": list(self.basis.signers), **more}
        if record != self._record():
            self.host.write(_SEALED, content)
            self.host.write(_RECORD, readable_json(record))


def _known(record: dict[str, Any]) -> TrustedFile | None:
    """The catalog that was accepted last; None where the record has none."""
    if "serial" not in record:
        return None
    return TrustedFile(record["serial"], record.get("expires", 0), record.get("sha256", ""), record.get("content", ""))
