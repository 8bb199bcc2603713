# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe by a program of the settings: it ends with 0 where the protection works."""

from __future__ import annotations

from ..._core.masking import without_arguments
from ..._core.probes import ProbeOutcome
from ..._core.settings.trust import ProbeSettings
from ..._core.untrusted_text import LONGEST_WORD, shown
from ..._host.host import Completed, Host


def probe_by_command(host: Host, settings: ProbeSettings, timeout: float) -> ProbeOutcome | None:
    """What the command says in at most ``timeout`` seconds; None without a command."""
    argv = settings.command
    if not argv:
        return None
    try:
        done = host.run(argv, timeout=max(0.0, timeout))
    except OSError as error:
        return ProbeOutcome.of([f"the probe command {argv[0]} can't be started: {error.strerror}"])
    if done.code == 0 and not done.timed_out:
        return ProbeOutcome()
    return ProbeOutcome.of([f"the probe command {done.ended}{_last_word(done, argv)}"])


def _last_word(done: Completed, argv: tuple[str, ...]) -> str:
    said = (done.err.strip() or done.out.strip()).splitlines()
    return f": {shown(without_arguments(said[-1].strip(), argv), LONGEST_WORD)}" if said else ""
