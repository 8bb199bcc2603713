# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: ClamAV, its databases kept current by the real freshclam under a configuration of our own.

freshclam brings patterns (and their bytecode) alone: the engine is an operating system package. So
``components.scope`` ``patterns`` and ``all`` update the databases, and ``engines`` has nothing for us to do.

Results come from the databases' own headers before and after, and from the cool-down that freshclam stores; its
exit code is 0 for a full disk, for a cool-down and for a source that holds an older version alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from ..._core.document import ClamavSettings, EndpointDocument
from ..._core.entries import Entry, File
from ..._core.policy import Scope, Sources
from ..._core.results import Component, Outcome, Result, ScanOutcome
from ..._core.values import replace, value
from .. import places
from ..host import Completed, Host
from . import clamav_directory, cvd, freshclam_dat
from .base import ProductNeeds, broken, overdue, tcp_reachable
from .clamd import Clamd
from .freshclam_conf import VENDOR, FreshclamConfig
from .freshclam_words import Cause, Said, understand

CONFIG = places.CONFIGURATION_DIRECTORY + "/freshclam.conf"
_MODE = 0o600
"""URLs may hold secrets; freshclam reads the file before it gives up root."""
RUNTIME_CONFIG = places.RUNTIME_DIRECTORY + "/freshclam.conf"


@value
class ClamAV:
    """The product ``clamav``."""

    host: Host
    settings: ClamavSettings
    sources: Sources
    scope: Scope
    vendor_fallback: bool = False
    name: str = "clamav"

    @classmethod
    def of(cls, document: EndpointDocument, host: Host) -> ClamAV:
        policy = document.policy
        return cls(
            host=host,
            settings=document.clamav,
            sources=policy.sources,
            scope=policy.components.scope,
            vendor_fallback=policy.privileges.vendor_fallback,
        )

    def entries(self) -> tuple[Entry, ...]:
        return (File(CONFIG, self._config().render(), mode=_MODE),)

    def needs(self) -> ProductNeeds:
        """freshclam gives up root for the databases' owner (SETUID, SETGID) and takes it along (CHOWN) when it makes
        the directory; the agent ends it past its time (KILL) and then clears its leftovers (DAC_OVERRIDE)."""
        return ProductNeeds(
            read_write=(self.settings.database_directory,),
            capabilities=("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"),
            scan_capabilities=("CAP_DAC_READ_SEARCH",),
            after_units=("clamav-daemon.service",),
            own_updaters=("clamav-freshclam.service",),
        )

    def components(self) -> tuple[Component, ...]:
        """The databases that policy names, as far as they are installed."""
        found = (self._read(name) for name in self._wanted())
        return tuple(sorted((item for item in found if item is not None), key=lambda item: item.name))

    def update(self, timeout: float) -> Outcome:
        if self.scope is Scope.ENGINES:
            why = "components.scope is engines: ClamAV's engine is an operating system package, freshclam has patterns"
            return Outcome(Result.SKIPPED, why)
        until = self._cooling_until()
        if until is not None:
            return Outcome(Result.COOLING_DOWN, "freshclam was told to wait; nothing was asked", until)
        try:
            return self._update(timeout)
        except OSError as error:
            return broken("the update could not be prepared", error)

    def scan(self, paths: Sequence[str], timeout: float) -> ScanOutcome:
        from .clamav_scan import scan

        return scan(self.host, self.settings, paths, timeout)

    def reachable(self, timeout: float) -> bool:
        default = (VENDOR,) if self.settings.databases else ()
        urls = ((self._mirrors() or default) if self.settings.databases else ()) + tuple(self.settings.custom_urls)
        return tcp_reachable(urls, proxy=self.sources.proxy, timeout=timeout)

    def _update(self, timeout: float) -> Outcome:
        fault = clamav_directory.prepare(self.host, self.settings)
        if fault:
            return Outcome(Result.FAILED, fault)
        deadline = time.monotonic() + timeout
        before, clamd = self.components(), Clamd.of(self.host, self.settings.clamd_config)
        try:
            completed = self.host.run(self._command(), timeout=timeout)
        except FileNotFoundError:
            return Outcome(Result.FAILED, "freshclam is not installed")
        if completed.timed_out:
            clamav_directory.sweep(self._directory(), older_than=0)
        outcome = self._judge(before, completed, timeout)
        if outcome.result is Result.UPDATED and clamd is not None and not outcome.why:
            return replace(outcome, why=self._proven(clamd, deadline - time.monotonic()))
        return outcome

    def _proven(self, clamd: Clamd, patience: float) -> str:
        """What is wrong with the new databases in the clamd that was running; empty when it works with them.

        A database can pass freshclam's load test and still bring clamd down when it scans: so clamd scans a few bytes.
        """
        clamav_directory.await_reload(self._directory(), patience)
        return "" if clamd.scans() else "clamd no longer scans, now that it has the new databases"

    def _judge(self, before: Sequence[Component], completed: Completed, timeout: float) -> Outcome:
        """The result by the evidence, strongest first; what freshclam said only explains it."""
        after, until, said = self.components(), self._cooling_until(), understand(completed.out + completed.err)
        trouble = said.worst
        if _versions(after) != _versions(before):
            return Outcome(Result.UPDATED, self._reservation(said, completed, until))
        if completed.timed_out:
            return overdue("freshclam", timeout)
        if until is not None:
            return Outcome(Result.COOLING_DOWN, "the source refuses for now (429 or 403)", until)
        local = trouble is not None and trouble.cause is Cause.LOCAL
        if completed.code != 0 or local or self._missing(after):
            return self._failure(said, completed)
        why = _held(said, after)
        return Outcome(Result.HELD, why) if why else Outcome(Result.CURRENT)

    def _failure(self, said: Said, completed: Completed) -> Outcome:
        trouble = said.worst
        if trouble is None:
            missing = ", ".join(self._missing(self.components()))
            unsaid = f"{missing} is still not installed" if missing else "it gave no reason"
            return Outcome(Result.FAILED, f"freshclam ended with exit code {completed.code}; {unsaid}")
        if trouble.cause is Cause.UNREACHABLE and not said.answered:
            return Outcome(Result.UNREACHABLE, trouble.why)
        if trouble.cause is Cause.LOCAL:
            return Outcome(Result.FAILED, clamav_directory.fault(self._directory()) or trouble.why)
        return Outcome(Result.FAILED, trouble.why)

    def _reservation(self, said: Said, completed: Completed, until: int | None) -> str:
        """What an update that did succeed must still tell."""
        if until is not None:
            return "in part: the source then refused further requests (429 or 403)"
        if completed.timed_out:
            return "in part: freshclam then took too long and was ended"
        if completed.code != 0 and said.worst is not None:
            return f"in part: {said.worst.why}"
        return "clamd was not running and reads the databases when it starts" if said.clamd_deaf else ""

    def _command(self) -> list[str]:
        argv = ["freshclam", f"--config-file={self.host.real(self._config_in_place())}", "--stdout", "--verbose"]
        return [*argv, "--no-dns"] if self._mirrors() or not self.settings.databases else argv

    def _config_in_place(self) -> str:
        """The file for this run: the installed one where it says what policy says, else one beside the lock."""
        config = self._config()
        if not self.host.live:
            config = config.in_sandbox(self._directory())
        elif os.geteuid() != 0:
            config = config.for_current_user()
        content = config.render()
        if self.host.read(CONFIG) == content:
            return CONFIG
        self.host.write(RUNTIME_CONFIG, content, mode=_MODE)
        return RUNTIME_CONFIG

    def _config(self) -> FreshclamConfig:
        settings = self.settings
        return FreshclamConfig(
            directory=settings.database_directory,
            owner=settings.database_owner,
            databases=tuple(settings.databases),
            mirrors=self._mirrors(),
            custom_urls=tuple(settings.custom_urls),
            proxy=self.sources.proxy,
            clamd_config=settings.clamd_config if self.host.exists(settings.clamd_config) else None,
        )

    def _mirrors(self) -> tuple[str, ...]:
        urls = tuple(self.sources.urls)
        return (*urls, VENDOR) if urls and self.vendor_fallback else urls

    def _directory(self) -> str:
        return self.host.real(self.settings.database_directory)

    def _cooling_until(self) -> int | None:
        return freshclam_dat.cooling_until(self._directory(), self.host.now())

    def _wanted(self) -> tuple[str, ...]:
        """Names of the databases that must be there; a custom one goes by its file's name."""
        custom = (os.path.basename(urlsplit(url).path) for url in self.settings.custom_urls)
        return tuple(dict.fromkeys((*self.settings.databases, *custom)))

    def _missing(self, installed: Sequence[Component]) -> list[str]:
        names = {component.name for component in installed}
        return [name for name in self._wanted() if os.path.splitext(name)[0] not in names and name not in names]

    def _read(self, name: str) -> Component | None:
        stem, suffix = os.path.splitext(name)
        if not suffix or suffix in cvd.SIGNED_SUFFIXES:
            return cvd.read_signed(self._directory(), stem)
        return cvd.read_plain(self._directory(), name)


def _versions(components: Sequence[Component]) -> dict[str, str]:
    return {component.name: component.version for component in components}


def _held(said: Said, installed: Sequence[Component]) -> str:
    """Why what is installed is kept although the source holds another version; empty when it does not."""
    for component in installed:
        name, version = component.name, component.version
        offered = said.offered.get(name)
        if name in said.patch_missing:
            return f"the source announces {name} {said.patch_missing[name]} but lacks its patch; {version} is kept"
        if offered is None or not version.isdigit() or offered == int(version):
            continue
        if offered < int(version):
            return f"the source offers {name} {offered}, older than {version}; nothing is downgraded"
        return f"the source announces {name} {offered} but did not give it; {version} is kept"
    return ""
