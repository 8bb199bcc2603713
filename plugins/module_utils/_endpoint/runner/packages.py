# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One upgrade of the packages that are the engine of this endpoint's product: what it may take, and its proof.

The version of the packages decides the result, an exit code of apt-get only explains it (R1).
"""

from __future__ import annotations

import signal
import syslog
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Callable

from ..._core.holds import Hold, Holds
from ..._core.probes import ProbeOutcome
from ..._core.results import ENGINE, Outcome, ReasonKind, Result
from ..._core.untrusted_text import shown
from ..._core.values import frozen, replace
from ..._host.host import Completed
from ..endpoint import Endpoint
from ..packages import kept
from ..packages.apt import Apt
from ..packages.apt_output import Plan, is_busy, last_word, unreached
from ..packages.dpkg import Package, engine_version, installed, newer
from ..products.base import PackagedEngine, Restored
from ..state.store import Rejection
from ..status.status import save_and_publish
from ..time_limits import REFRESH_S

_TOLD = 3
_BUSY = "another package manager is at work"


@frozen
class Upgrade:
    """An upgrade that was chosen: apt-get's plan, and the version of the engine in it."""

    plan: Plan
    version: str


@frozen
class RingOffer:
    """The versions that the ring of this endpoint may install; None for all. ``why`` says why it is offered none."""

    versions: tuple[str, ...] | None = None
    why: str = ""

    def permits(self, version: str) -> bool:
        return self.versions is None or version in self.versions

    def refusal(self, what: str) -> Outcome:
        """The result where a version is not offered."""
        return Outcome(Result.HELD, f"{what} is not offered to its ring yet" + (f": {self.why}" if self.why else ""))


@frozen
class PackageUpdate:
    """The packages of one endpoint's engine, what is held of them, and what its ring is offered."""

    endpoint: Endpoint
    engine: PackagedEngine
    holds: Holds
    ring: RingOffer = RingOffer()

    def packages(self) -> tuple[Package, ...]:
        """What is installed; raises OSError."""
        return installed(self.endpoint.host, self.engine.packages)

    def version(self) -> str:
        """The version of what is installed; raises OSError."""
        return self._version_of(self.packages())

    def chosen(self, *, refresh: bool = True) -> Upgrade | Outcome:
        """What is to be installed, or how the run ends without an installation. Raises OSError."""
        before = self.packages()
        obstacle = _obstacle(before)
        if obstacle is not None:
            return obstacle
        lost = self._refresh() if refresh else ()
        return lost if isinstance(lost, Outcome) else self._chosen(before, lost)

    def _chosen(self, before: Sequence[Package], lost: Sequence[str]) -> Upgrade | Outcome:
        names = [one.name for one in before]
        offered = Apt(self.endpoint.host).plan(names)
        if offered.refusal:
            return Outcome(Result.FAILED, offered.refusal)
        if not offered.steps:
            return _unreachable(lost) if lost else Outcome(Result.CURRENT)
        found = self._allowed(offered, names, self._version_of(before))
        beside = found.plan.beside(names) if isinstance(found, Upgrade) else ()
        if beside and isinstance(found, Upgrade):
            why = f"version {found.version} needs more than upgrades of the engine's own packages: {', '.join(beside)}"
            return Outcome(Result.FAILED, f"{why}; upgrade it by hand")
        return found

    def fetched(self, upgrade: Upgrade) -> Outcome | None:
        """Have the files of the new version, and those of the present one where they can be had, in the cache.

        Returns how the run ends where the new ones can't be fetched. Raises OSError.
        """
        host, limit = self.endpoint.host, self.endpoint.document.limits.update
        kept.prepare(host)
        if not kept.keep_installed(host, self.packages(), REFRESH_S):
            host.log(syslog.LOG_WARNING, "the packages of the installed engine can't be had: there is no way back")
        done = Apt(host).fetch(upgrade.plan.words, limit)
        wanted = [(one.name, one.after) for one in upgrade.plan.steps]
        if all(kept.files_of(host, [name], version) for name, version in wanted):
            return None
        lost = unreached(done)
        if lost:
            return _unreachable(lost)
        return self._explained(done)

    def installed(self, upgrade: Upgrade) -> Outcome:
        """Install it, probe it, and go back where the probe fails. Raises OSError."""
        before, alive = self.packages(), self.engine.alive()
        self._mark(unproven=True)
        limit = self.endpoint.document.limits.update
        done = self._installing(partial(Apt(self.endpoint.host).upgrade, upgrade.plan.words, limit))
        after = self.packages()
        broken = _half(after)
        if broken is None and _versions(after) == _versions(before):
            self._mark(unproven=False)
            return self._explained(done)
        if broken is not None:
            return replace(broken, why=f"{broken.why} ({last_word(done)})")
        well = done.code == 0 and not done.cut
        outcome = Outcome(Result.UPDATED, "" if well else f"the versions changed, but {last_word(done)}")
        return self.probed(outcome, alive=alive)

    def probed(self, outcome: Outcome, *, alive: bool) -> Outcome:
        """The outcome where the probe passes or there is none, else that of going back. Raises OSError."""
        probe, host = self.endpoint.document.probe, self.endpoint.host
        probed = self.engine.probe(probe, self.version(), alive=alive) if probe.enabled else None
        if probed is not None and not probed.passed:
            return self._refused(probed)
        self._mark(unproven=False)
        kept.prune(host, self.packages())
        if probed is None or not probed.remarks:
            return outcome
        return replace(outcome, why="; ".join(filter(None, (outcome.why, probed.why))))

    def goes_back(self) -> bool:
        """Whether what is installed is held so that it is replaced, and an earlier version is kept for that."""
        holds, host = self.holds.that_restore(), self.endpoint.host
        if holds.of(ENGINE, self.version()) is None:
            return False
        return any(self.holds.of(ENGINE, one) is None for one in kept.versions_before(host, self.packages()))

    def restored(self, holds: Holds) -> Restored:
        """Install the newest kept version before the present one that is not held. Raises OSError."""
        host, before, limit = self.endpoint.host, self.packages(), self.endpoint.document.limits.update
        for version in kept.versions_before(host, before):
            if holds.of(ENGINE, version) is not None:
                continue
            files = kept.files_of(host, [one.name for one in before], version)
            done = self._installing(partial(Apt(host).go_back, files, limit))
            if self.version() == version and _half(self.packages()) is None:
                return Restored(True, f"{ENGINE} {version} is back")
            return Restored(False, f"{ENGINE} {version} did not come back: {last_word(done)}")
        return Restored(False, "no earlier version of its packages is kept that could be put back")

    def _installing(self, work: Callable[[], Completed]) -> Completed:
        """Let apt-get come to its end. A service that goes on with the engine of before is started anew: the packages
        of some distributions, Debian 13 for one, do not do that."""
        before, process = _versions(self.packages()), self.engine.process()
        with _to_the_end():
            done = work()
            if process and _versions(self.packages()) != before and self.engine.process() == process:
                self._restart()
        return done

    def _restart(self) -> None:
        try:
            self.engine.restart()
        except OSError as error:  # the probe has the last word
            self.endpoint.host.log(syslog.LOG_ERR, f"the service of the new {ENGINE} can't be started anew: {error}")

    def _refresh(self) -> tuple[str, ...] | Outcome:
        """The sources that did not answer; an Outcome where nothing was asked."""
        done = Apt(self.endpoint.host).refresh(REFRESH_S)
        if is_busy(done):
            return Outcome(Result.SKIPPED, _BUSY)
        lost = unreached(done)
        if done.cut and not lost:
            return (f"the package sources (apt-get {done.ended})",)
        return lost

    def _allowed(self, offered: Plan, names: Sequence[str], installed_version: str) -> Upgrade | Outcome:
        """The newest version that policy and ring allow and nothing holds."""
        allowed = self.endpoint.document.policy.components.engine_versions
        version = offered.version(self.engine.packages.core)
        hold = self.holds.of(ENGINE, version)
        if hold is None and (not allowed or version in allowed) and self.ring.permits(version):
            return Upgrade(offered, version)
        named = [one for one in allowed or self.ring.versions or () if self.ring.permits(one)]
        for other in self._descending(named, installed_version):
            plan = Apt(self.endpoint.host).plan([f"{name}={other}" for name in names])
            if self.holds.of(ENGINE, other) is None and plan.steps:
                return Upgrade(plan, other)
        if hold is not None:
            return hold.outcome(f"{ENGINE} {version}")
        if not allowed or version in allowed:
            return self.ring.refusal(f"{ENGINE} {version}")
        return Outcome(Result.HELD, f"{ENGINE} {version} is not one of components.engine_versions")

    def _descending(self, versions: Sequence[str], above: str) -> list[str]:
        """Those of the versions that come after ``above``, the newest first."""
        host = self.endpoint.host
        found: list[str] = []
        for version in (one for one in versions if newer(host, one, above)):
            place = next((at for at, one in enumerate(found) if newer(host, version, one)), len(found))
            found.insert(place, version)
        return found

    def _refused(self, probed: ProbeOutcome) -> Outcome:
        """Go back; the version that the probe has refused is not begun again for a day."""
        host, version, why = self.endpoint.host, self.version(), shown(probed.why)
        back = self.restored(Holds((*self.holds.entries, Hold(version, ENGINE, by_probe=True))))
        if back.done:
            rejected = Rejection(version, host.now(), why)
            save_and_publish(
                self.endpoint,
                lambda state: replace(state, engine_unproven=False, rejected={**state.rejected, ENGINE: rejected}),
            )
        host.log(syslog.LOG_ERR, f"the probe of {ENGINE} {version} failed: {why}")
        words = f"the probe of {ENGINE} {version} failed: {probed.why}; {back.why}"
        return Outcome(Result.FAILED, words, kind=ReasonKind.PROBE)

    def _mark(self, *, unproven: bool) -> None:
        save_and_publish(self.endpoint, lambda state: replace(state, engine_unproven=unproven))

    def _version_of(self, packages: Sequence[Package]) -> str:
        return engine_version(packages, self.engine.packages.core)

    def _explained(self, done: Completed) -> Outcome:
        """Why apt-get changed nothing."""
        return Outcome(Result.SKIPPED, _BUSY) if is_busy(done) else Outcome(Result.FAILED, last_word(done))


def _obstacle(packages: Sequence[Package]) -> Outcome | None:
    """Why nothing can be upgraded, whatever is offered."""
    if not packages:
        return Outcome(Result.SKIPPED, "no package of the engine is installed")
    held = [one.name for one in packages if one.on_hold]
    if held:
        return Outcome(Result.HELD, f"{', '.join(held)}: on hold by this host's administrator (apt-mark hold)")
    return _half(packages)


def _unreachable(lost: Sequence[str]) -> Outcome:
    return Outcome(Result.UNREACHABLE, f"no answer from {', '.join(lost[:_TOLD])}")


def _half(packages: Sequence[Package]) -> Outcome | None:
    """A package that dpkg has left half installed is no engine."""
    half = [one.name for one in packages if not one.whole]
    if not half:
        return None
    words = f"{', '.join(half)}: installed by half (dpkg --configure -a, apt-get -f install)"
    return Outcome(Result.FAILED, words)


def _versions(packages: Sequence[Package]) -> dict[str, str]:
    return {one.name: one.version for one in packages}


@contextmanager
def _to_the_end() -> Iterator[None]:
    """A stop that comes meanwhile waits: a package that is installed by half is worth less than either version."""
    asked: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    except ValueError:  # not in the main thread: the caller handles its own signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
    if asked:
        raise SystemExit(128 + signal.SIGTERM)
