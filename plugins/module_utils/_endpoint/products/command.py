# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any updater that has a command line, described by five argument lists (see ``CommandSettings``).

* ``version`` prints a JSON object of names and versions, or any other text, which is then the version of the one
  component ``command``; lines other than the first are cut off. Asked before and after, it is the evidence (R1).
* ``update`` updates. Its exit code matters only where the versions did not change.
* ``restore`` brings the version before back, where a probe failed or an installed version is held.
* ``offers`` prints, as ``version`` does, what the update would bring; asked while versions are held.
* ``scan`` is called with the paths to scan behind its own arguments. Exit code 0: clean; 1: findings, printed one a
  line as ``path: name FOUND``; anything else: the scan broke.

Commands run as they are written, below a root prefix too, without a shell, in the C locale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..._core.holds import NO_HOLDS, Hold, Holds
from ..._core.masking import without_arguments
from ..._core.metadata.manifest import is_older
from ..._core.policy.policy import Sources
from ..._core.probes import ProbeOutcome
from ..._core.resources.resources import Resource
from ..._core.results import Component, Outcome, Result, ScanOutcome
from ..._core.settings.endpoint import CommandSettings, EndpointDocument
from ..._core.settings.endpoint_keys import SINGLE
from ..._core.settings.trust import ProbeSettings
from ..._core.untrusted_text import LONGEST_WORD, shown
from ..._core.values import frozen
from ..._host.host import Completed, Host
from .base import ProductNeeds, Restored, overdue, tcp_reachable
from .probe_command import probe_by_command
from .without_service import WithoutService

_VERSION_TIMEOUT_S = 60.0
_UNKNOWN = "command.offers is not set, so what the updater would bring is not known and it is not started"
_INSTALLER = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID")
_FOUND = re.compile(r"(.+): (.+?) FOUND")


class NoVersion(Exception):
    """The version command gave none; the text says why."""


@frozen
class Command(WithoutService):
    """The product ``command``."""

    host: Host
    settings: CommandSettings
    sources: Sources
    probing: ProbeSettings = ProbeSettings()
    restore_limit: float = 1800.0
    name: str = "command"

    @classmethod
    def of(cls, document: EndpointDocument, host: Host) -> Command:
        return cls(host, document.command, document.policy.sources, document.probe, document.limits.update)

    def entries(self) -> tuple[Resource, ...]:
        return ()

    def needs(self) -> ProductNeeds:
        """What installers of software usually need: nothing is known of the program but that it is one."""
        return ProductNeeds(
            read_write=("/etc", "/opt", "/usr", "/var"),
            capabilities=_INSTALLER,
        )

    def programs(self) -> tuple[str, ...]:
        settings, probe = self.settings, self.probing.command if self.probing.enabled else ()
        called = (settings.update, settings.version, settings.restore, settings.offers, probe)
        return tuple(dict.fromkeys(argv[0] for argv in called if argv))

    def trial(self, timeout: float) -> tuple[str, ...]:
        """Whether the version command can be started; before the first update it need not know any version."""
        argv = self.settings.version
        try:
            completed = self.host.run(argv, timeout=min(timeout, _VERSION_TIMEOUT_S))
        except FileNotFoundError:
            return ()
        except OSError as error:
            return (f"{argv[0]} can't be started: {error.strerror}",)
        return (f"{argv[0]} does not come to an end",) if completed.timed_out else ()

    def components(self) -> tuple[Component, ...]:
        try:
            return self._ask(self.settings.version, _VERSION_TIMEOUT_S)
        except NoVersion:
            return ()

    def held(self, holds: Holds) -> tuple[str, Hold] | None:
        return holds.among(self.components()) if holds else None

    def probe(self, settings: ProbeSettings, *, alive: bool) -> ProbeOutcome | None:  # noqa: ARG002  nothing is known
        return probe_by_command(self.host, settings, settings.timeout)

    def keep(self) -> None:
        """What is kept is the updater's own business."""

    def restore(self, holds: Holds, *, alive: bool) -> Restored:  # noqa: ARG002  the updater knows one way back
        argv, before = self.settings.restore, self.components()
        if not argv:
            return Restored(False, "command.restore is not set: this product has no way back")
        try:
            done = self.host.run(argv, timeout=self.restore_limit)
        except OSError as error:
            return Restored(False, f"{argv[0]}: {error.strerror}")
        after = self.components()
        if after == before:
            return Restored(False, f"the restore command {done.ended}, and changed no version")
        return Restored(True, f"{', '.join(f'{one.name} {one.version}' for one in after)} is back")

    def update(self, timeout: float, holds: Holds = NO_HOLDS) -> Outcome:
        before = self.components()
        kept_back = self._kept_back(before, holds) if holds else None
        if kept_back is not None:
            return kept_back
        try:
            completed = self.host.run(self.settings.update, timeout=timeout)
        except OSError as error:
            return Outcome(Result.FAILED, f"{self.settings.update[0]}: {error.strerror}")
        try:
            after = self._ask(self.settings.version, min(timeout, _VERSION_TIMEOUT_S))
        except NoVersion as error:
            return Outcome(Result.FAILED, f"the update {completed.ended}, but {error}")
        return _judge(before != after, completed, self.settings.update, timeout)

    def _kept_back(self, installed: tuple[Component, ...], holds: Holds) -> Outcome | None:
        """The outcome of an update that holds forbid; None where they do not.

        Where the updater can't tell what it would bring, a hold of a version that may be it keeps it from starting.
        """
        if self.settings.offers:
            try:
                offered = self._ask(self.settings.offers, _VERSION_TIMEOUT_S)
            except NoVersion as error:
                return Outcome(Result.HELD, f"versions are held, and what is offered can't be told: {error}")
            found = holds.among(offered)
            return None if found is None else found[1].outcome(found[0])
        for one in installed:
            for hold in holds.entries:
                if hold.component in ("", one.name) and not is_older(hold.version, one.version):
                    return hold.outcome(f"{one.name} {hold.version}", _UNKNOWN)
        return None

    def scan(self, paths: Sequence[str], timeout: float) -> ScanOutcome:
        argv = self.settings.scan
        if not argv:
            return ScanOutcome(ok=False, why="command.scan is not set: this product has no scanner")
        present = [path for path in paths if self.host.exists(path)]
        if not present:
            return ScanOutcome(ok=True, why="none of the scan paths exists")
        try:
            completed = self.host.run([*argv, *(self.host.real(path) for path in present)], timeout=timeout)
        except OSError as error:
            return ScanOutcome(ok=False, why=f"{argv[0]}: {error.strerror}")
        return _scanned(completed, argv, self.host.root, timeout)

    def reachable(self, timeout: float) -> bool:
        return tcp_reachable(self.sources.urls, proxy=self.sources.proxy, timeout=timeout)

    def _ask(self, argv: tuple[str, ...], timeout: float) -> tuple[Component, ...]:
        try:
            completed = self.host.run(argv, timeout=timeout)
        except OSError as error:
            raise NoVersion(f"{argv[0]}: {error.strerror}") from error
        if completed.timed_out:
            raise NoVersion(f"{argv[0]} took longer than {timeout:.0f} s to tell the version")
        if completed.code != 0:
            raise NoVersion(f"{argv[0]} {completed.ended} and told no version")
        return parse_versions(completed.out)


def parse_versions(output: str) -> tuple[Component, ...]:
    """The components in the output of a version command; none in an empty one."""
    text = output.strip()
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raw = None
    if isinstance(raw, dict):
        return tuple(Component(shown(name, LONGEST_WORD), shown(str(raw[name]), LONGEST_WORD)) for name in sorted(raw))
    return (Component(SINGLE, shown(text.splitlines()[0], LONGEST_WORD)),) if text else ()


def _judge(changed: bool, completed: Completed, argv: tuple[str, ...], timeout: float) -> Outcome:
    if changed:
        well = completed.code == 0 and not completed.timed_out
        return Outcome(
            Result.UPDATED, "" if well else f"the versions changed, but the update command {completed.ended}"
        )
    if completed.timed_out:
        return overdue("the update command", timeout)
    if completed.code != 0:
        why = f"the update command {completed.ended}{_last_word(completed, argv)}"
        return Outcome(Result.FAILED, why)
    return Outcome(Result.CURRENT)


def _scanned(completed: Completed, argv: tuple[str, ...], prefix: str, timeout: float) -> ScanOutcome:
    matches = (_FOUND.fullmatch(line) for line in completed.out.splitlines())
    found = ((match[1], match[2]) for match in matches if match)
    findings = tuple((path[len(prefix) :] if path.startswith(prefix + "/") else path, name) for path, name in found)
    if completed.timed_out:
        return ScanOutcome(False, findings, f"the scan took longer than {timeout:.0f} s and was ended")
    if completed.code not in (0, 1):
        return ScanOutcome(False, findings, f"the scan {completed.ended}{_last_word(completed, argv)}")
    if completed.code == 1 and not findings:
        return ScanOutcome(False, (), "the scan reported findings (exit code 1) but printed none as `path: name FOUND`")
    return ScanOutcome(True, findings)


def _last_word(completed: Completed, argv: tuple[str, ...]) -> str:
    said = (completed.err.strip() or completed.out.strip()).splitlines()
    return f": {shown(without_arguments(said[-1].strip(), argv), LONGEST_WORD)}" if said else ""
