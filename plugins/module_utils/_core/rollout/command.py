# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server says to an endpoint: one line of JSON, and the only thing its key can say (N4, N5).

It is one of two commands: update, or answer with a report (R4).
"""

from __future__ import annotations

import json
import re
from typing import Any, Union

from ..canonical import canonical_json
from ..results import Trigger
from ..values import frozen

MAX_SIZE = 4096
AFTER_BLACKOUT = 900
"""Over how many seconds the notices after a blackout are spread; the cap holds beside it (N1)."""
REPORT = "report"
"""The result in an answer that is a report; the report is in ``envelope``, as one text."""
TRIGGERS = (Trigger.DOWNLOAD, Trigger.SCHEDULE, Trigger.MANUAL)
"""What a server may start: an update after a download (E1), one at the slot that it keeps itself (S6), Update Now."""

_CAMPAIGN = re.compile(r"[a-z0-9][a-z0-9-]{7,63}")
_VERSION = re.compile(r"[ -~]{1,200}")


class InvalidCommand(ValueError):
    """A line is not an order; the message says why."""


@frozen
class UpdateCommand:
    """Update, because of this campaign. ``version`` is for people and logs: what is installed the endpoint's own
    source decides."""

    campaign: str
    version: str
    trigger: Trigger = Trigger.DOWNLOAD

    @classmethod
    def parse(cls, line: bytes) -> UpdateCommand:
        """Read what ``to_line`` wrote; raises InvalidCommand."""
        raw = _plain(line)
        if not isinstance(raw, dict) or set(raw) != {"campaign", "version", "trigger"}:
            raise InvalidCommand("the notice must have campaign, version and trigger, and nothing else")
        return cls(
            campaign=_matching(_CAMPAIGN, raw["campaign"], "campaign"),
            version=_matching(_VERSION, raw["version"], "version"),
            trigger=_trigger(raw["trigger"]),
        )

    def to_line(self) -> bytes:
        plain = {"campaign": self.campaign, "version": self.version, "trigger": self.trigger.value}
        return canonical_json(plain, newline=True)


@frozen
class ReportCommand:
    """Make a report and answer with it. It says no more than that, so whoever sends it can choose nothing."""

    def to_line(self) -> bytes:
        return canonical_json(_REPORT, newline=True)


Command = Union[UpdateCommand, ReportCommand]
_REPORT = {"command": REPORT}


def parse_command(line: bytes) -> Command:
    """The command that a line is; raises InvalidCommand for anything else."""
    return ReportCommand() if _plain(line) == _REPORT else UpdateCommand.parse(line)


def _plain(line: bytes) -> Any:
    if len(line) > MAX_SIZE:
        raise InvalidCommand(f"the notice is longer than {MAX_SIZE} bytes")
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidCommand("the notice is not JSON") from None


def _matching(pattern: re.Pattern[str], raw: Any, name: str) -> str:
    if not isinstance(raw, str) or not pattern.fullmatch(raw):
        raise InvalidCommand(f"{name}: not a word that a notice may have")
    return raw


def _trigger(raw: Any) -> Trigger:
    if raw not in [trigger.value for trigger in TRIGGERS]:
        raise InvalidCommand(f"trigger: must be {' or '.join(trigger.value for trigger in TRIGGERS)}")
    return Trigger(raw)
