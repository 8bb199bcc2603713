# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a converge to the installed document, and to what was adopted for it, would find to mend."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.resources.diff import Action, Change
from ..._core.untrusted_text import shown
from ..._host.host import Host
from ..._host.snapshot import Snapshot
from ..converge.plan import differences
from ..endpoint import Endpoint, NotEnrolled
from ..installed import Installed

MOST = 20
"""How many differences are told; the others are counted."""
_WORDS = {Action.CREATE: "is missing", Action.REMOVE: "should not be there"}


def find_drift(host: Host) -> tuple[tuple[str, ...], int]:
    """The first differences in words, and how many there are; nothing is written, and no request is sent.

    The agent itself is not compared: only Ansible knows which one it should be. Raises OSError or LookupError.
    """
    view = Snapshot(host)
    installed = Installed.load(view)
    if installed.document is None:
        raise NotEnrolled("this host is not enrolled")
    endpoint = Endpoint.of(view, installed.document, installed.adopted_for(installed.document))
    changes, corrections = differences(endpoint, installed)
    found = (*_told(changes), *map(shown, corrections))
    return found[:MOST], len(found)


def _told(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        yield shown(f"{change.path} {_WORDS.get(change.action) or _difference(change)}")


def _difference(change: Change) -> str:
    if change.foreign_before:
        return "belongs to somebody else"
    if change.before == change.after and change.mode_before != change.mode_after:
        return f"has the mode {change.mode_before or 0:04o} instead of {change.mode_after or 0:04o}"
    return "has another content"
