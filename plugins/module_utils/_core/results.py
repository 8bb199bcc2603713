# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words in which a run tells what happened (SPEC R1)."""

from __future__ import annotations

from enum import Enum

from .masking import without_secrets
from .timestamps import iso_or_none
from .untrusted_text import LONGEST_WORD, shown
from .values import frozen


class Trigger(str, Enum):
    """Why an update runs."""

    DOWNLOAD = "download"
    RECONNECT = "reconnect"
    SCHEDULE = "schedule"
    MANUAL = "manual"

    @property
    def by_event(self) -> bool:
        """Whether E3 counts this trigger among the events."""
        return self in (Trigger.DOWNLOAD, Trigger.RECONNECT)


class Result(str, Enum):
    """How an update ended, decided from evidence and never from an exit code alone (R1)."""

    UPDATED = "updated"
    CURRENT = "current"
    COOLING_DOWN = "cooling_down"
    HELD = "held"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    SKIPPED = "skipped"


class ReasonKind(str, Enum):
    """What kind of reason a result has, where it is one that others count."""

    NONE = ""
    PROBE = "probe"


ENGINE = "engine"
"""The component that an engine is whose packages are upgraded, and its kind."""
UNREADABLE = "unreadable"
"""The version of a component that is there and does not tell any: no evidence of a change."""


@frozen
class Component:
    """One installed component: ``version`` is the product's own word, ``built`` is Unix seconds or None if unknown.

    ``kind`` is told of what no manifest tells it of: an engine that is packages of the operating system.
    """

    name: str
    version: str
    built: int | None = None
    kind: str = ""

    def __post_init__(self) -> None:
        """Whatever a product calls its components, the names are data (R5)."""
        self.__dict__.update(name=shown(self.name, LONGEST_WORD), version=shown(self.version, LONGEST_WORD))

    def to_dict(self) -> dict[str, object]:
        told: dict[str, object] = {"name": self.name, "version": self.version, "built": iso_or_none(self.built)}
        return {**told, "kind": self.kind} if self.kind else told


@frozen
class Outcome:
    """What a product's update came to; ``why`` is one sentence. ``until`` (Unix seconds) is the end of a cool-down, or
    of the blackout by which an update was skipped.

    ``reached`` is False where certainly no request reached a source's server.
    """

    result: Result
    why: str = ""
    until: int | None = None
    reached: bool = True
    kind: ReasonKind = ReasonKind.NONE

    def __post_init__(self) -> None:
        """What a program or a server said may quote the URL that it was asked for."""
        self.__dict__["why"] = without_secrets(self.why)


@frozen
class ScanOutcome:
    """What a scan found: ``findings`` are (path, signature) pairs; ``ok`` is False when the scan itself broke."""

    ok: bool
    findings: tuple[tuple[str, str], ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        """As for an ``Outcome``."""
        self.__dict__["why"] = without_secrets(self.why)
