# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of the audit (G8): what was decided, by whom, by which evidence, chained to the line before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..canonical import canonical_json, sha256_hex
from ..masking import without_secrets
from ..timestamps import iso
from ..untrusted_text import LONGEST_WORD, shown
from ..values import field, frozen

BEGIN = "0" * 64
"""What the first line has for the digest of a line before it."""
MAX_LINE = 256 * 1024
"""Bytes of a line; evidence that would make it longer is left out."""
_DEEPEST = 8
_TOO_LONG = {"left_out": "the evidence is too long for one line"}


class AuditKind(str, Enum):
    """What a line is about."""

    PUBLISHED = "published"
    OFFERED = "offered"
    PASSED = "passed"
    HALTED = "halted"
    INCONCLUSIVE = "inconclusive"
    RESUMED = "resumed"
    ABORTED = "aborted"
    HELD = "held"
    RELEASED = "released"
    EXPEDITED = "expedited"
    POLICY_CHANGED = "policy_changed"
    TREE_CHANGED = "tree_changed"
    KEY_ROTATED = "key_rotated"
    SETTINGS_CHANGED = "settings_changed"
    RESTORED = "restored"
    """The records of the server were brought back from elsewhere (C4)."""
    DAMAGED = "damaged"
    """The audit before this line did not have the form in which it was signed; it lies beside this one."""


class Unreadable(ValueError):
    """A line is none of an audit; the message says why."""


@frozen
class AuditEntry:
    """One line. ``about`` says in words what it is about (``product``, ``version``, ``ring``, ``scope``, ``name``).

    ``by`` is who asked; ``at`` is an instant as people read it. ``previous`` is the SHA-256 of the line before.
    """

    sequence: int
    at: str
    kind: str
    by: Mapping[str, str]
    previous: str
    about: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_line(cls, line: bytes) -> AuditEntry:
        """Read one line; raises Unreadable. Kinds of a later program are words, too."""
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError):
            raise Unreadable("it is not JSON") from None
        if not isinstance(raw, dict) or raw.keys() != _TYPES.keys():
            raise Unreadable("it does not have the keys of an audit")
        wrong = [key for key, kind in _TYPES.items() if not isinstance(raw[key], kind)]
        if wrong or isinstance(raw["sequence"], bool):
            raise Unreadable(f"{', '.join(wrong or ['sequence'])}: not of the type that it must have")
        return cls(**raw)

    def to_dict(self) -> dict[str, Any]:
        return {key: dict(one) if isinstance(one, Mapping) else one for key, one in self.__dict__.items()}

    def to_line(self) -> bytes:
        """The line without its end, byte for byte as it is chained; evidence that is too long is left out."""
        line = canonical_json(self.to_dict())
        return line if len(line) <= MAX_LINE else canonical_json({**self.to_dict(), "evidence": _TOO_LONG})

    def mentions(self, version: str) -> bool:
        """Whether a line is about a version, or names it in its evidence."""
        return self.about.get("version") == version or version in _texts(self.evidence)


@frozen
class Note:
    """What somebody wants to have written down."""

    kind: AuditKind
    about: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    by: Mapping[str, str] = field(default_factory=dict)


def entry_of(note: Note, *, sequence: int, now: float, previous: str) -> AuditEntry:
    """The line of a note: every text of it is data, bounded, and shows no secret that a URL may hold."""
    return AuditEntry(
        sequence=sequence,
        at=iso(now),
        kind=note.kind.value,
        by=_words(note.by),
        previous=previous,
        about=_words(note.about),
        reason=_plain_text(note.reason),
        evidence=_plain(dict(note.evidence)),
    )


def digest_of(line: bytes) -> str:
    """What the next line has of a line."""
    return sha256_hex(line)


def _words(words: Mapping[str, str]) -> dict[str, str]:
    return {shown(key, LONGEST_WORD): _plain_text(one) for key, one in words.items() if one}


def _plain_text(text: object) -> str:
    return shown(without_secrets(str(text)))


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {_plain_text(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, depth + 1) for one in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    return round(value, 6) if isinstance(value, float) else _plain_text(value)


def _texts(value: Any) -> set[str]:
    """All texts in plain data, keys as well."""
    if isinstance(value, Mapping):
        return {*map(str, value)}.union(*map(_texts, value.values()))
    if isinstance(value, (list, tuple)):
        return set().union(*map(_texts, value))
    return {value} if isinstance(value, str) else set()


_TYPES: Mapping[str, type] = {
    "sequence": int,
    "at": str,
    "kind": str,
    "by": dict,
    "previous": str,
    "about": dict,
    "reason": str,
    "evidence": dict,
}
