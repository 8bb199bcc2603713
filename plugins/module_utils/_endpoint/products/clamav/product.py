# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ClamAV, its databases kept current by the real freshclam under a configuration of our own.

freshclam brings patterns (and their bytecode) alone: the engine is packages of the operating system. So
``components.scope`` ``patterns`` and ``all`` update the databases here, and ``engines`` does not. Packages have a run
of their own (see ``runner.engine``), where policy wants it (``components.engine_packages``).

Results come from the databases' own headers before and after, and from the cool-down that freshclam stores; its
exit code is 0 for a full disk, for a cool-down and for a source that holds an older version alike.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...._core.cvd_header import component_of, file_of
from ...._core.holds import NO_HOLDS, Hold, Holds
from ...._core.policy.policy import Scope, Sources
from ...._core.probes import ProbeOutcome
from ...._core.resources.resources import Directory, File, Resource
from ...._core.results import Component, Outcome, Result, ScanOutcome
from ...._core.settings.endpoint import ClamavSettings, EndpointDocument
from ...._core.settings.managed import channel_url
from ...._core.settings.trust import ProbeSettings, RestoreSettings
from ...._core.system_files.vendor_updaters import Program
from ...._core.values import frozen
from ...._host.host import Host
from ... import paths as places
from ..base import PackagedEngine, ProductNeeds, Restored, broken, tcp_reachable
from . import clamd_service, cvd, freshclam_dat, kept, own_signature
from .clamd import Clamd
from .distribution import found_on
from .freshclam_conf import VENDOR, FreshclamConfig
from .parts import directories

if TYPE_CHECKING:
    from ..published_samples import PublishedSamples

FRESHCLAM = Program(
    "freshclam",
    idle=("-V", "--version", "-h", "--help", "--list-mirrors"),
    reloads=("clamav-daemon", "clamav-freshclam", "clamd", "clamd@scan", "amavis", "amavisd"),
)
CONFIG = places.CONFIGURATION_DIRECTORY + "/freshclam.conf"
CONFIG_MODE = 0o600
"""URLs may hold secrets; freshclam reads the file before it gives up root."""


_SHARED = (places.SAMPLES, places.CACHE_DIRECTORY)
"""What its probe and its engine's packages have, which no other product uses."""


@frozen
class ClamAV:
    """The product ``clamav``."""

    host: Host
    settings: ClamavSettings
    sources: Sources
    scope: Scope
    vendor_fallback: bool = False
    engine_packages: bool = False
    probing: ProbeSettings = ProbeSettings()
    keeping: RestoreSettings = RestoreSettings()
    published: PublishedSamples | None = None
    channel: str = ""
    """The URL of the channel; empty where the rollout is not staged."""
    name: str = "clamav"

    @classmethod
    def of(cls, document: EndpointDocument, host: Host) -> ClamAV:
        policy = document.policy
        return cls(
            host=host,
            settings=found_on(host, document.clamav),
            sources=policy.sources,
            scope=policy.components.scope,
            vendor_fallback=policy.privileges.vendor_fallback,
            engine_packages=policy.components.engine_packages,
            probing=document.probe,
            keeping=document.restore,
            published=_published(document, host),
            channel=channel_url(document),
        )

    def entries(self) -> tuple[Resource, ...]:
        return (File(CONFIG, self.config().render(), mode=CONFIG_MODE),)

    def needs(self) -> ProductNeeds:
        """freshclam gives up root for the databases' owner (SETUID, SETGID) and gives it what it makes (CHOWN); the
        agent ends it past its time (KILL) and then clears its leftovers (DAC_OVERRIDE)."""
        databases = Directory(self.settings.database_directory, owner=self.settings.database_owner)
        return ProductNeeds(
            read_write=(databases.path,),
            creates=(databases, *directories(self.settings)),
            capabilities=("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"),
            scan_capabilities=("CAP_DAC_READ_SEARCH",),
            after_units=clamd_service.SERVICES,
            vendor_updaters=(FRESHCLAM,),
            remains=(f"{databases.path}/{kept.NAME}", own_signature.path(self), *_SHARED),
        )

    def programs(self) -> tuple[str, ...]:
        return (FRESHCLAM.name,)

    def trial(self, timeout: float) -> tuple[str, ...]:
        from .selftest import trial

        return trial(self, timeout)

    def idle(self) -> tuple[str, ...]:
        service = clamd_service.enabled(self.host)
        if not service or clamd_service.runs(self.host) or not self._has_databases():
            return ()
        return (f"clamd does not run, though {service} is enabled and there are databases: start it",)

    def components(self) -> tuple[Component, ...]:
        """The databases that policy names, as far as they are installed."""
        return self.installed(self.wanted())

    def installed(self, names: Sequence[str]) -> tuple[Component, ...]:
        """The databases of these names, as far as they are there."""
        found = (cvd.read(self.directory(), name) for name in names)
        return tuple(sorted((item for item in found if item is not None), key=lambda item: item.name))

    def update(self, timeout: float, holds: Holds = NO_HOLDS) -> Outcome:
        if self.scope is Scope.ENGINES:
            why = "components.scope is engines: ClamAV's engine is an operating system package, freshclam has patterns"
            if self.engine_packages:
                why += "; its packages have a run of their own (components.engine_packages)"
            return Outcome(Result.SKIPPED, why)
        from .update import ClamavUpdate

        try:
            return ClamavUpdate(self, holds).outcome(timeout)
        except OSError as error:
            return broken("the update could not be prepared", error)

    def from_channel(self) -> tuple[str, ...]:
        if not self.channel:
            return ()
        signed = self.settings.databases if self.mirrors() == (self.channel,) else ()
        own = (url for url in self.settings.custom_urls if url.startswith(f"{self.channel}/"))
        return (*signed, *(component_of(file_of(url)) for url in own))

    def held(self, holds: Holds) -> tuple[str, Hold] | None:
        return holds.among(self.components()) if holds else None

    def alive(self) -> bool:
        return self.scope is not Scope.ENGINES and Clamd.of(self.host, self.settings.clamd_config) is not None

    def packaged(self) -> PackagedEngine:
        from .packaged import ClamavEngine

        return ClamavEngine(self)

    def probe(self, settings: ProbeSettings, *, alive: bool) -> ProbeOutcome | None:
        from .probe import probe

        return probe(self, settings, alive=alive)

    def keep(self) -> None:
        if self.scope is not Scope.ENGINES and self.host.exists(self.settings.database_directory):
            self.kept().keep(self.keeping)

    def restore(self, holds: Holds, *, alive: bool) -> Restored:
        from .restore import restore

        return restore(self, holds, alive=alive)

    def kept(self) -> kept.KeptSets:
        """The sets of databases to go back to."""
        return kept.KeptSets(self.directory(), tuple(map(_stem, self.wanted())))

    def scan(self, paths: Sequence[str], timeout: float) -> ScanOutcome:
        from .scan import scan

        return scan(self.host, self.settings, paths, timeout)

    def reachable(self, timeout: float) -> bool:
        default = (VENDOR,) if self.settings.databases else ()
        urls = ((self.mirrors() or default) if self.settings.databases else ()) + tuple(self.settings.custom_urls)
        return tcp_reachable(urls, proxy=self.sources.proxy, timeout=timeout)

    def config(self) -> FreshclamConfig:
        """freshclam's configuration on a running system."""
        settings = self.settings
        return FreshclamConfig(
            directory=settings.database_directory,
            owner=settings.database_owner,
            databases=tuple(settings.databases),
            mirrors=self.mirrors(),
            custom_urls=tuple(settings.custom_urls),
            proxy=self.sources.proxy,
            clamd_config=settings.clamd_config if self.host.exists(settings.clamd_config) else None,
        )

    def mirrors(self) -> tuple[str, ...]:
        """Sources of signed databases in the order of preference; none: the vendor's network as freshclam finds it."""
        urls = tuple(self.sources.urls)
        return (*urls, VENDOR) if urls and self.vendor_fallback else urls

    def directory(self) -> str:
        """The databases' real directory."""
        return self.host.real(self.settings.database_directory)

    def cooling_until(self) -> int | None:
        """Until when freshclam sends no request, by its own memory; None when it may."""
        return freshclam_dat.cooling_until(self.directory(), self.host.now())

    def wanted(self) -> tuple[str, ...]:
        """Names of the databases that must be there; a custom one goes by its file's name."""
        return tuple(dict.fromkeys((*self.settings.databases, *map(file_of, self.settings.custom_urls))))

    def _has_databases(self) -> bool:
        directory = self.settings.database_directory
        files = (f"{directory}/{name}{suffix}" for name in self.wanted() for suffix in ("", *cvd.SIGNED_SUFFIXES))
        return any(self.host.exists(path) for path in files)


def _published(document: EndpointDocument, host: Host) -> PublishedSamples | None:
    """The samples of the update server; None on a standalone endpoint."""
    if document.server is None:
        return None
    from ..published_samples import PublishedSamples

    return PublishedSamples.of(document, host)


def _stem(name: str) -> str:
    """What a database goes by: a signed one without its suffix."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix in cvd.SIGNED_SUFFIXES else name
