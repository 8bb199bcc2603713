# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint remembers of its reports (R4).

It lies beside the state and not in it: no converge looks at it, so a report leaves the fast path of the next converge
as it is.
"""

from __future__ import annotations

import json
from typing import Any

from ..._core.timestamps import iso_or_none
from ..._core.values import asdict, field_names, frozen
from ..._host.host import Host
from .. import paths

FORMAT = 1


@frozen
class ReportRecord:
    """The newest report and what became of it. Times are Unix seconds.

    ``looked`` is when drift was looked for last, ``taken`` when the update server took a report last. ``waiting`` tells
    that it has not taken the newest. ``cause`` is the kind of the obstacle, empty without one, ``why`` the sentence.
    ``configuration`` is what the newest says of the configuration (a ``SyncResult``), empty where it says nothing.
    """

    sequence: int = 0
    occasion: str = ""
    made: float | None = None
    looked: float | None = None
    taken: float | None = None
    waiting: bool = False
    cause: str = ""
    why: str = ""
    configuration: str = ""

    def to_result(self) -> dict[str, Any]:
        """What people and programs are told of it."""
        return {
            "sequence": self.sequence or None,
            "occasion": self.occasion or None,
            "made": iso_or_none(self.made),
            "taken": iso_or_none(self.taken),
            "waiting": self.waiting,
            "reason": self.why,
        }


class ReportStore:
    """The record of one host; to be changed under ``paths.REPORT_LOCK``."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def read(self) -> ReportRecord:
        """The record; an empty one where there is none, or none that can be understood."""
        try:
            raw = json.loads(self._host.read(paths.REPORT_RECORD) or b"{}")
            return ReportRecord(**{name: raw[name] for name in field_names(ReportRecord) if name in raw})
        except (ValueError, TypeError, AttributeError):
            return ReportRecord()

    def write(self, record: ReportRecord) -> None:
        """Replace the record; raises OSError."""
        if record != self.read():
            content = json.dumps({"format": FORMAT, **asdict(record)}, sort_keys=True).encode()
            self._host.write(paths.REPORT_RECORD, content, mode=0o600)
