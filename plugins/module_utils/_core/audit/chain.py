# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain of an audit and its head: which line was removed, changed or put elsewhere (G8).

The head is signed before its line is appended, and holds that line. So a line that no head has signed was not written
here, and a server that was killed between the two finishes its line with the next one. The chain goes on from file to
file: the first line of one has the digest of the last line of the file before, as any other line has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ..canonical import canonical_json
from ..values import frozen
from .entry import BEGIN, MAX_LINE, AuditEntry, Unreadable, digest_of

FORMAT = 1
KIND = "audit"
NAMESPACE = "epp-audit"
"""What the signature over a head is made for."""
MAX_HEAD = 4 * MAX_LINE


@frozen
class Head:
    """The last line of an audit; its sequence and chain are in it."""

    line: bytes

    @classmethod
    def from_bytes(cls, content: bytes) -> Head:
        """Read what ``to_bytes`` wrote; raises Unreadable."""
        try:
            raw = json.loads(content)
        except (ValueError, RecursionError):
            raise Unreadable("the head is not JSON") from None
        known = isinstance(raw, dict) and (raw.get("format"), raw.get("kind")) == (FORMAT, KIND)
        if not known or not isinstance(raw.get("line"), str):
            raise Unreadable(f"it is no head of an audit of format {FORMAT}")
        return cls(raw["line"].encode())

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""
        return canonical_json({"format": FORMAT, "kind": KIND, "line": self.line.decode()})

    @property
    def entry(self) -> AuditEntry:
        """Raises Unreadable."""
        return AuditEntry.from_line(self.line)

    @property
    def digest(self) -> str:
        return digest_of(self.line)


@frozen
class Prefix:
    """The lines of an audit that were verified before: how many, and the digest of the last one."""

    count: int = 0
    digest: str = BEGIN


@frozen
class Problem:
    """What is wrong with a line (counted from 1), or with the whole audit (0). ``file`` is where it stands."""

    line: int
    words: str
    file: str = ""

    def __str__(self) -> str:
        place = [*([self.file] if self.file else []), *([f"line {self.line}"] if self.line else [])]
        return ": ".join([*([", ".join(place)] if place else []), self.words])


WHOLE = Prefix()
"""Of no line: what follows is all of the audit."""


def split(content: bytes) -> tuple[list[bytes], bytes]:
    """The whole lines of a file, and what lies behind the last line end: a line that was cut off."""
    *lines, rest = content.split(b"\n")
    return lines, rest


def problems(content: bytes, head: Head | None, after: Prefix = WHOLE) -> list[Problem]:
    """All that is wrong with an audit whose head was verified already; what a kill leaves is no problem.

    ``content`` is what lies behind the lines of ``after``; lines are counted from the begin of the audit.
    """
    lines, rest = split(content)
    found = [*_chain(lines, after)]
    if head is None:
        return [*found, Problem(0, "the signed head is missing")] if content or after.count else []
    try:
        last = head.entry
    except Unreadable as error:
        return [*found, Problem(0, f"the head holds no line: {error}")]
    return [*found, *_against_head(lines, rest, head, last, after)]


def is_unfinished(content: bytes, head: Head, after: Prefix = WHOLE) -> bool:
    """Whether the head's own line is still to be appended, or a part of it."""
    lines, rest = split(content)
    before = digest_of(lines[-1]) if lines else after.digest
    last = head.entry
    return last.sequence == after.count + len(lines) + 1 and last.previous == before and head.line.startswith(rest)


def _chain(lines: Sequence[bytes], after: Prefix) -> Iterator[Problem]:
    previous, expected = after.digest, after.count + 1
    for number, line in enumerate(lines, after.count + 1):
        try:
            entry = AuditEntry.from_line(line)
        except Unreadable as error:
            yield Problem(number, f"it can't be read: {error}")
            previous, expected = digest_of(line), expected + 1
            continue
        if entry.sequence != expected:
            yield Problem(number, _moved(entry.sequence, expected))
        elif entry.previous != previous:
            before = f"line {number - 1} was changed" if number > 1 else "a line before it is missing"
            yield Problem(number, f"it does not follow from the one before: {before}, or this one was put here")
        previous, expected = digest_of(line), entry.sequence + 1


def _moved(found: int, expected: int) -> str:
    if found > expected:
        gone = f"entry {expected} is" if found == expected + 1 else f"entries {expected} to {found - 1} are"
        return f"it is entry {found}: {gone} missing here"
    return f"it is entry {found}, and should be entry {expected}: lines were put in or stand in another order"


def _against_head(
    lines: Sequence[bytes], rest: bytes, head: Head, last: AuditEntry, after: Prefix
) -> Iterator[Problem]:
    number, end = after.count + len(lines), digest_of(lines[-1]) if lines else after.digest
    if number == last.sequence and not rest:
        if end != head.digest:
            yield Problem(number, "it is not the line that was signed")
    elif number == last.sequence - 1 and head.line.startswith(rest) and last.previous == end:
        return  # killed before it was appended
    elif number < last.sequence:
        yield Problem(0, f"the end is missing: entry {last.sequence} was signed, and there are {number} lines")
    else:
        first = last.sequence + 1
        yield Problem(first, f"it was never signed: the last signed entry is {last.sequence}")


def difference(content: bytes, other: bytes) -> Problem | None:
    """The first line in which an audit and an earlier copy of it differ; None where one is the begin of the other."""
    lines, kept = split(content)[0], split(other)[0]
    for number, (line, copy) in enumerate(zip(lines, kept), 1):
        if line != copy:
            return Problem(number, "it is not the line of the copy")
    if len(kept) > len(lines):
        return Problem(0, f"the copy has {len(kept)} lines, and here are {len(lines)}")
    return None
