# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any set of files, as a manifest and content-addressed objects (see ``_core/metadata/manifest.py``).

Sources are tried in the order of policy. An unchanged source costs one conditional request. Only content that is not
there yet is fetched, verified before it is put in place, and a version becomes current in one atomic step.

* A manifest that is older than what is installed is ``held``: nothing is downgraded.
* The same version published again with other content is taken: the source's word counts, and digests tell.
* 403 and 429 leave a cool-down of that source (an hour unless the answer says otherwise, a day at most), during which
  it gets no request. Other sources are still asked. 503 with Retry-After is waited for, or else a cool-down too.
* ``components.scope``: ``patterns`` and ``engines`` take files of that kind and leave all others as installed; ``all``
  takes everything, programs too.
* On a managed endpoint only the manifest that the update server's signed catalog names is taken, byte by byte; where
  the rollout is staged, the one that it names for the endpoint's channel.
* Files edited, damaged or removed by hand show as version ``damaged`` and are mended by the next update.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...._core.holds import NO_HOLDS, Hold, Holds
from ...._core.policy.policy import Scope, Sources
from ...._core.probes import ProbeOutcome
from ...._core.resources.resources import Directory, Resource
from ...._core.results import Component, Outcome, ScanOutcome
from ...._core.settings.endpoint import EndpointDocument, FilesSettings
from ...._core.settings.trust import ProbeSettings, RestoreSettings
from ...._core.values import frozen
from ...._host.host import Host
from ...paths import STATE_DIRECTORY
from ..base import ProductNeeds, Restored, tcp_reachable
from ..probe_command import probe_by_command
from ..without_service import WithoutService

if TYPE_CHECKING:
    from ...trust.catalog import ManifestVerifier
    from .releases import Store

DAMAGED = "damaged"


@frozen
class Files(WithoutService):
    """The product ``files``."""

    host: Host
    settings: FilesSettings
    sources: Sources
    scope: Scope
    verifier: ManifestVerifier | None = None
    channel: str = ""
    keeping: RestoreSettings = RestoreSettings()
    probing: ProbeSettings = ProbeSettings()
    name: str = "files"

    @classmethod
    def of(cls, document: EndpointDocument, host: Host) -> Files:
        policy = document.policy
        return cls(
            host=host,
            settings=document.files,
            sources=policy.sources,
            scope=policy.components.scope,
            verifier=_verifier(document, host),
            channel=document.channel,
            keeping=document.restore,
            probing=document.probe,
        )

    def entries(self) -> tuple[Resource, ...]:
        return (Directory(self.settings.directory),)

    def needs(self) -> ProductNeeds:
        directory = self.settings.directory
        # The state directory is open to the unit anyway, so what is missing below it the update makes itself.
        outside = not directory.startswith(STATE_DIRECTORY + "/")
        return ProductNeeds(read_write=(directory,), creates=(Directory(directory),) if outside else ())

    def programs(self) -> tuple[str, ...]:
        return self.probing.command[:1] if self.probing.enabled else ()

    def trial(self, timeout: float) -> tuple[str, ...]:  # noqa: ARG002  the interface's argument
        sample = f"{self.settings.directory}/.epp-selftest"
        try:
            self.host.write(sample, b"")
            self.host.remove(sample)
        except OSError as error:
            return (f"{self.settings.directory}: nothing can be written there ({error.strerror})",)
        return ()

    def components(self) -> tuple[Component, ...]:
        release = self.store().installed()
        if release is None:
            return ()
        damaged = {file.component for file in release.damaged()}
        found: dict[str, Component] = {}
        for file in release.manifest.files:
            version = DAMAGED if file.component in damaged else file.version
            built = max((found[file.component].built if file.component in found else None) or 0, file.built or 0)
            found[file.component] = Component(file.component, version, built or None)
        return tuple(found[name] for name in sorted(found))

    def update(self, timeout: float, holds: Holds = NO_HOLDS) -> Outcome:
        from .update import update

        return update(self, timeout, holds)

    def held(self, holds: Holds) -> tuple[str, Hold] | None:
        from .releases import held_in

        release = self.store().installed() if holds else None
        return None if release is None else held_in(release.manifest, holds)

    def probe(self, settings: ProbeSettings, *, alive: bool) -> ProbeOutcome | None:  # noqa: ARG002  none is kept alive
        return probe_by_command(self.host, settings, settings.timeout)

    def keep(self) -> None:
        """A release is never written to again, and ``update`` removes those that are too many."""

    def restore(self, holds: Holds, *, alive: bool) -> Restored:  # noqa: ARG002  none is kept alive
        store = self.store()
        try:
            release = store.restore(holds)
        except OSError as error:
            return Restored(False, f"going back failed: {error.strerror or error}")
        if release is None:
            return Restored(False, "no earlier version is kept that could be put back")
        return Restored(True, f"version {release.manifest.version} is back")

    def scan(self, paths: Sequence[str], timeout: float) -> ScanOutcome:  # noqa: ARG002  the interface's arguments
        return ScanOutcome(ok=False, why="the product files has no scanner")

    def reachable(self, timeout: float) -> bool:
        return tcp_reachable(self.sources.urls, proxy=self.sources.proxy, timeout=timeout)

    def store(self) -> Store:
        """The directory that holds the components."""
        from .releases import Store

        return Store(self.host.real(self.settings.directory))


def _verifier(document: EndpointDocument, host: Host) -> ManifestVerifier | None:
    """What verifies the manifests of sources; None on a standalone endpoint."""
    if document.server is None:
        return None
    from ...._core.metadata.trusted import Enrollment
    from ...trust.catalog import ManifestVerifier

    basis = Enrollment.of(document, document.server)
    return ManifestVerifier(host, basis, document.product, document.channel)
