# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: one run of freshclam and what it came to, by the evidence on disk (R1)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..._core.results import Component, Outcome, Result
from ..._core.values import replace, value
from ..._host.host import Completed
from ..http import LONGEST_PAUSE_S, drawn, jittered
from . import clamav_directory
from .base import overdue
from .clamd import Clamd
from .freshclam_conf import OFFICIAL, FreshclamConfig
from .freshclam_words import Cause, Said, understand

if TYPE_CHECKING:
    from .clamav import ClamAV

_RUN_S = 10.0
"""What freshclam needs at least to ask again."""
_GIVEN = "/dev/stdin"
"""Where freshclam reads its configuration. AppArmor's profile of Debian and Ubuntu allows it no file of ours; a pipe
that it was given is no file to AppArmor."""


@value
class ClamavUpdate:
    """One update of the product ``clamav``."""

    product: ClamAV

    def outcome(self, timeout: float) -> Outcome:
        """Run freshclam for at most ``timeout`` seconds; raises OSError when the host does not let it start."""
        fault = clamav_directory.prepare(self.product.host, self.product.settings)
        if fault:
            return Outcome(Result.FAILED, fault)
        deadline = time.monotonic() + timeout
        before, clamd = self.product.components(), Clamd.of(self.product.host, self.product.settings.clamd_config)
        try:
            completed = self._with_whole(self._completed(self.product.config(), deadline), deadline)
        except FileNotFoundError:
            return Outcome(Result.FAILED, "freshclam is not installed")
        if completed.timed_out:
            clamav_directory.sweep(self.product.directory(), older_than=0)
        outcome = self._judge(before, completed, timeout)
        if outcome.result is Result.UPDATED and clamd is not None and not outcome.why:
            return replace(outcome, why=self._proven(clamd, deadline - time.monotonic()))
        return outcome

    def _with_whole(self, completed: Completed, deadline: float) -> Completed:
        """Take private databases whole of which the source has no patch: who makes them may publish none at all.

        freshclam itself does so from three versions on. Of the official ones a patch that is missing is on its way, and
        the whole would be a hundred times as much.
        """
        said = understand(completed.out + completed.err)
        lacking = tuple(name for name in said.patch_missing if name not in OFFICIAL)
        other = completed.code != 0 or any(trouble.cause is Cause.LOCAL for trouble in said.troubles)
        if other or not lacking or time.monotonic() + _RUN_S > deadline:
            return completed
        return self._completed(self.product.config().whole(lacking), deadline)

    def _completed(self, wanted: FreshclamConfig, deadline: float) -> Completed:
        """A whole run of freshclam: again where the server is at its cap (N3), as long as the time allows.

        freshclam itself tries twice within five seconds and gives up, without any cool-down.
        """
        while True:
            remaining = deadline - time.monotonic()
            argv = command(dns=not self.product.mirrors() and bool(self.product.settings.databases))
            completed = self.product.host.run(argv, timeout=remaining, stdin=fitted(self.product, wanted))
            busy = None if completed.code == 0 else understand(completed.out + completed.err).busy
            if busy is None or busy > LONGEST_PAUSE_S:
                return completed
            pause = jittered(busy, drawn())
            if time.monotonic() + pause + _RUN_S > deadline:
                return completed
            time.sleep(pause)

    def _proven(self, clamd: Clamd, patience: float) -> str:
        """What is wrong with the new databases in the clamd that was running; empty when it works with them.

        A database can pass freshclam's load test and still bring clamd down when it scans: so clamd scans a few bytes.
        """
        clamav_directory.await_reload(self.product.directory(), patience)
        return "" if clamd.scans() else "clamd no longer scans, now that it has the new databases"

    def _judge(self, before: Sequence[Component], completed: Completed, timeout: float) -> Outcome:
        """The result by the evidence, strongest first; what freshclam said only explains it."""
        after, said = self.product.components(), understand(completed.out + completed.err)
        until, trouble = self.product.cooling_until() or said.cooling_until, said.worst
        if _versions(after) != _versions(before):
            return Outcome(Result.UPDATED, self._reservation(said, completed, until))
        if completed.timed_out:
            return overdue("freshclam", timeout)
        if until is not None:
            why = f"{said.refused_by or 'the source'} refuses for now (429 or 403)"
            return Outcome(Result.COOLING_DOWN, why, until)
        local = trouble is not None and trouble.cause is Cause.LOCAL
        if completed.code != 0 or local or self._missing(after):
            return self._failure(said, completed)
        why = _held(said, after)
        return Outcome(Result.HELD, why) if why else Outcome(Result.CURRENT)

    def _failure(self, said: Said, completed: Completed) -> Outcome:
        if completed.code < 0:
            return Outcome(Result.FAILED, f"freshclam {completed.ended}")
        trouble = said.worst
        if trouble is None:
            missing = ", ".join(self._missing(self.product.components()))
            unsaid = f"{missing} is still not installed" if missing else "it gave no reason"
            return Outcome(Result.FAILED, f"freshclam {completed.ended}; {unsaid}")
        if trouble.cause in (Cause.UNREACHABLE, Cause.UNREACHABLE_BY_PROXY) and not said.answered:
            return Outcome(Result.UNREACHABLE, trouble.why)
        if trouble.cause is Cause.LOCAL:
            return Outcome(Result.FAILED, clamav_directory.fault(self.product.directory()) or trouble.why)
        return Outcome(Result.FAILED, trouble.why)

    def _reservation(self, said: Said, completed: Completed, until: int | None) -> str:
        """What an update that did succeed must still tell."""
        if until is not None:
            return f"in part: {said.refused_by or 'the source'} then refused further requests (429 or 403)"
        if completed.cut:
            return f"in part: freshclam then {completed.ended}"
        if completed.code != 0 and said.worst is not None:
            return f"in part: {said.worst.why}"
        return "clamd was not running and reads the databases when it starts" if said.clamd_deaf else ""

    def _missing(self, installed: Sequence[Component]) -> list[str]:
        names = {component.name for component in installed}
        return [name for name in self.product.wanted() if not {name, os.path.splitext(name)[0]} & names]


def command(*, dns: bool, only: Sequence[str] = ()) -> list[str]:
    """freshclam's argument list; ``dns``: it may ask the vendor's DNS for versions. Standard input configures it.

    Unless it is to update ``only`` some databases, it removes those that its configuration does not name.
    """
    argv = ["freshclam", f"--config-file={_GIVEN}", "--stdout", "--verbose", *(f"--update-db={name}" for name in only)]
    return argv if dns else [*argv, "--no-dns"]


def fitted(product: ClamAV, wanted: FreshclamConfig) -> bytes:
    """A configuration of freshclam for whoever runs it and where."""
    if not product.host.live:
        return wanted.in_sandbox(product.directory()).render()
    return (wanted.for_current_user() if os.geteuid() != 0 else wanted).render()


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
