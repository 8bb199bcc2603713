# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs of freshclam in one update, and what they came to, by the evidence on disk (R1)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ...._core.holds import NO_HOLDS, Holds
from ...._core.results import Component, Outcome, ReasonKind, Result
from ...._core.values import frozen, replace
from ...._host.host import Completed
from ...._host.http.waiting import LONGEST_PAUSE_S, random_fraction, with_jitter
from ..base import overdue
from . import clamd_service, database_directory, freshclam_dat, own_signature
from .clamd import Clamd
from .freshclam_conf import OFFICIAL, FreshclamConfig
from .freshclam_output import Cause, FreshclamOutput, parse_output
from .parts import Part, made_apart, move_in, parts_of, prepare, put_in_place

if TYPE_CHECKING:
    from .product import ClamAV

_FROM_WORST = (Result.FAILED, Result.UNREACHABLE, Result.COOLING_DOWN, Result.HELD, Result.CURRENT)
_IN_PART = "in part: "
_RUN_S = 10.0
"""What freshclam needs at least to ask again."""
_WAITING = "freshclam was told to wait; nothing was asked"
_GIVEN = "/dev/stdin"
"""Where freshclam reads its configuration. AppArmor's profile of Debian and Ubuntu allows it no file of ours; a pipe
that it was given is no file to AppArmor."""


@frozen
class ClamavUpdate:
    """One update of the product ``clamav``."""

    product: ClamAV
    holds: Holds = NO_HOLDS

    def outcome(self, timeout: float) -> Outcome:
        """Run freshclam for at most ``timeout`` seconds; raises OSError when the host does not let it start."""
        host, settings = self.product.host, self.product.settings
        error = database_directory.prepare(host, settings)
        if error:
            return Outcome(Result.FAILED, error)
        prepare(host, settings)
        deadline = time.monotonic() + timeout
        clamd, before = Clamd.of(host, settings.clamd_config), self.product.components()
        outcomes = [one for part in parts_of(self.product) for one in self._permitted(part, deadline, timeout)]
        outcome, after = together(outcomes), self.product.components()
        if _versions(after) == _versions(before):
            return outcome
        if self.product.probing.enabled:
            with suppress(OSError):  # the probe has other ways to ask clamd
                own_signature.put(self.product, after)
        if not before and clamd is None and not outcome.why.startswith(_IN_PART):
            started = clamd_service.start(host)
            return replace(outcome, why=f"{started} is started, now that there are databases") if started else outcome
        return self._told(outcome, clamd, deadline)

    def _told(self, outcome: Outcome, clamd: Clamd | None, deadline: float) -> Outcome:
        """Tell clamd of the new databases; the outcome says where it could not be told, or has died of it."""
        if clamd is not None and clamd.reloads():
            # Else the probe is what waits for clamd.
            waits = not self.product.probing.enabled and not outcome.why
            return replace(outcome, why=self._proven(clamd, deadline - time.monotonic())) if waits else outcome
        deaf = self.product.config().clamd_config is not None and not outcome.why
        return replace(outcome, why="clamd was not running and reads the databases when it starts") if deaf else outcome

    def _permitted(self, part: Part, deadline: float, timeout: float) -> list[Outcome]:
        """What came of a part, of which no held version is taken."""
        if part.source or not any(map(self.holds.concern, part.names)):
            return [self._of(part, deadline, timeout)]
        from .offers import permitted

        found = permitted(self.product, part.names, self.holds, deadline)
        config, bad = replace(part.config, mirrors=found.mirrors), self.holds.that_restore()
        anew = tuple(name for name in found.names if bad.among(self.product.installed((name,))) is not None)
        rest = tuple(name for name in found.names if name not in anew)
        outcomes = list(found.kept_back)
        if anew:
            outcomes.append(self._anew(replace(part, config=config), anew, deadline, timeout))
        if rest:
            limited = replace(part, names=rest, only=rest, config=config)
            outcomes.append(self._of(limited, deadline, timeout))
        return outcomes

    def _anew(self, part: Part, names: tuple[str, ...], deadline: float, timeout: float) -> Outcome:
        """Take databases whole of which a held version is installed: freshclam itself never goes back."""
        host, settings = self.product.host, self.product.settings
        before, apart = self.product.installed(names), made_apart(host, settings, part, names)
        try:
            completed = self._completed(apart, deadline)
            move_in(host, settings, apart)
            return self._judge(apart, before, completed, timeout)
        finally:
            host.remove(apart.config.directory)

    def _of(self, part: Part, deadline: float, timeout: float) -> Outcome:
        """What one part came to."""
        directory = self.product.host.real(part.config.directory)
        freshclam_dat.forget_impossible(directory, self.product.host.now())
        until = freshclam_dat.cooling_until(directory, self.product.host.now())
        if until is not None:
            return Outcome(Result.COOLING_DOWN, _rate_limited(part), until)
        before = self.product.installed(part.names)
        try:
            completed = self._with_whole(part, self._completed(part, deadline), deadline)
        except FileNotFoundError:
            return Outcome(Result.FAILED, "freshclam is not installed")
        if completed.timed_out:
            database_directory.sweep(directory, older_than=0)
        held = put_in_place(self.product.host, self.product.settings, part, self.holds) if part.source else ()
        outcome = self._judge(part, before, completed, timeout)
        return together([*held, *([outcome] if outcome.result is not Result.CURRENT else [])]) if held else outcome

    def _with_whole(self, part: Part, completed: Completed, deadline: float) -> Completed:
        """Take private databases whole of which the source has no patch: who makes them may publish none at all.

        freshclam itself does so from three versions on. Of the official ones a patch that is missing is on its way, and
        the whole would be a hundred times as much.
        """
        output = parse_output(completed.out + completed.err)
        lacking = tuple(name for name in output.patch_missing if name not in OFFICIAL)
        other = completed.code != 0 or any(error.cause is Cause.LOCAL for error in output.errors)
        if other or not lacking or time.monotonic() + _RUN_S > deadline:
            return completed
        return self._completed(part.whole(lacking), deadline)

    def _completed(self, part: Part, deadline: float) -> Completed:
        """A whole run of freshclam: again where the server is at its cap (N3), as long as the time allows.

        freshclam itself tries twice within five seconds and gives up, without any cool-down.
        """
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            argv = command(dns=not part.config.mirrors and bool(part.config.databases), only=part.only)
            completed = self.product.host.run(argv, timeout=remaining, stdin=fitted(self.product, part.config))
            busy = None if completed.code == 0 else parse_output(completed.out + completed.err).busy
            if busy is None or busy > LONGEST_PAUSE_S:
                return completed
            pause = with_jitter(busy, random_fraction())
            if time.monotonic() + pause + _RUN_S > deadline:
                return completed
            time.sleep(pause)

    def _proven(self, clamd: Clamd, limit: float) -> str:
        """What is wrong with the new databases in the clamd that was running; empty when it works with them.

        A database can pass freshclam's load test and still bring clamd down when it scans: so clamd scans a few bytes.
        """
        database_directory.await_reload(self.product.directory(), limit)
        return "" if clamd.scans() else "clamd no longer scans, now that it has the new databases"

    def _judge(self, part: Part, before: Sequence[Component], completed: Completed, timeout: float) -> Outcome:
        """The result by the evidence, strongest first; the output of freshclam only explains it."""
        after, output = self.product.installed(part.names), parse_output(completed.out + completed.err)
        now, directory = self.product.host.now(), self.product.host.real(part.config.directory)
        until, error = freshclam_dat.cooling_until(directory, now) or output.cooling_until, output.worst
        if _versions(after) != _versions(before):
            return Outcome(Result.UPDATED, _partial_reason(output, completed, until))
        if completed.timed_out:
            return overdue("freshclam", timeout)
        if until is not None:
            why = f"{output.refused_by or 'the source'} refuses for now (429 or 403)"
            return Outcome(Result.COOLING_DOWN, why, until)
        local = error is not None and error.cause is Cause.LOCAL
        if completed.code != 0 or local or _missing(part, after):
            return self._failure(part, output, completed)
        why = _held(output, after)
        return Outcome(Result.HELD, why) if why else Outcome(Result.CURRENT)

    def _failure(self, part: Part, output: FreshclamOutput, completed: Completed) -> Outcome:
        if completed.code < 0:
            return Outcome(Result.FAILED, f"freshclam {completed.ended}")
        error = output.worst
        if error is None:
            missing = ", ".join(_missing(part, self.product.installed(part.names)))
            unsaid = f"{missing} is still not installed" if missing else "no reason given"
            return Outcome(Result.FAILED, f"freshclam {completed.ended}; {unsaid}")
        if error.cause in (Cause.UNREACHABLE, Cause.UNREACHABLE_BY_PROXY) and not output.answered:
            return Outcome(Result.UNREACHABLE, error.why)
        if error.cause is Cause.LOCAL:
            return Outcome(
                Result.FAILED, database_directory.error(self.product.host.real(part.config.directory)) or error.why
            )
        return Outcome(Result.FAILED, error.why)


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of several parts: an update is one in part where another part failed, and tells why.

    Nothing is unreachable as long as another part has got an answer.
    """
    if len(outcomes) == 1:
        return outcomes[0]
    whys = list(dict.fromkeys(outcome.why for outcome in outcomes if outcome.why))
    results = {outcome.result for outcome in outcomes}
    if Result.UPDATED in results:
        troubled = results - {Result.UPDATED, Result.CURRENT}
        why = "; ".join(whys)
        return Outcome(Result.UPDATED, f"{_IN_PART}{why}" if troubled and not why.startswith(_IN_PART) else why)
    worst = next(result for result in _FROM_WORST if result in results)
    until = min((one.until for one in outcomes if one.until is not None), default=None)
    if worst is Result.UNREACHABLE and results != {worst}:
        worst = Result.FAILED
    kind = next((one.kind for one in outcomes if one.result is worst), ReasonKind.NONE)
    return Outcome(worst, "; ".join(whys), until if worst is Result.COOLING_DOWN else None, kind=kind)


def command(*, dns: bool, only: Sequence[str] = ()) -> list[str]:
    """freshclam's argument list; ``dns``: it may ask the vendor's DNS for versions. Standard input configures it.

    Unless it is to update ``only`` some databases, it removes those that its configuration does not name.
    """
    argv = ["freshclam", f"--config-file={_GIVEN}", "--stdout", "--verbose", *(f"--update-db={name}" for name in only)]
    return argv if dns else [*argv, "--no-dns"]


def fitted(product: ClamAV, wanted: FreshclamConfig) -> bytes:
    """A configuration of freshclam for whoever runs it and where."""
    if not product.host.live:
        return wanted.in_sandbox(product.host.real(wanted.directory)).render()
    return (wanted.for_current_user() if os.geteuid() != 0 else wanted).render()


def _partial_reason(output: FreshclamOutput, completed: Completed, until: int | None) -> str:
    """What an update that did succeed must still tell."""
    if until is not None:
        return f"in part: {output.refused_by or 'the source'} then refused further requests (429 or 403)"
    if completed.cut:
        return f"in part: freshclam then {completed.ended}"
    if completed.code != 0 and output.worst is not None:
        return f"in part: {output.worst.why}"
    return ""


def _missing(part: Part, installed: Sequence[Component]) -> list[str]:
    names = {component.name for component in installed}
    return [name for name in part.names if not {name, os.path.splitext(name)[0]} & names]


def _rate_limited(part: Part) -> str:
    return f"rate-limited by {part.source}" if part.source else _WAITING


def _versions(components: Sequence[Component]) -> dict[str, str]:
    return {component.name: component.version for component in components}


def _held(output: FreshclamOutput, installed: Sequence[Component]) -> str:
    """Why what is installed is kept although the source holds another version; empty when it does not."""
    for component in installed:
        name, version = component.name, component.version
        offered = output.offered.get(name)
        if name in output.patch_missing:
            return f"the source announces {name} {output.patch_missing[name]} but lacks its patch; {version} is kept"
        if offered is None or not version.isdigit() or offered == int(version):
            continue
        if offered < int(version):
            return f"the source offers {name} {offered}, older than {version}; nothing is downgraded"
        return f"the source announces {name} {offered} but did not give it; {version} is kept"
    return ""
