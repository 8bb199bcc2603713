# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain of an audit (G8): whatever is done to its lines is found, and the line is named."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.audit.chain import (
    Head,
    Prefix,
    Problem,
    difference,
    is_unfinished,
    problems,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.audit.entry import (
    BEGIN,
    MAX_LINE,
    AuditEntry,
    AuditKind,
    Note,
    Unreadable,
    digest_of,
    entry_of,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_795_348_800.0


def lines_of(count: int) -> list[bytes]:
    """An audit of so many entries."""
    lines: list[bytes] = []
    for number in range(1, count + 1):
        note = Note(AuditKind.OFFERED, {"version": f"27{number:03}"}, evidence={"reports": number}, by={"user": "root"})
        previous = digest_of(lines[-1]) if lines else BEGIN
        lines.append(entry_of(note, sequence=number, now=NOW + number, previous=previous).to_line())
    return lines


def content(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


GOOD = lines_of(8)
HEAD = Head(GOOD[-1])


def rechained(lines: list[bytes]) -> list[bytes]:
    """The lines with sequence and digests made right again, as one who has no key can do it."""
    made: list[bytes] = []
    for number, line in enumerate(lines, 1):
        raw = {**json.loads(line), "sequence": number, "previous": digest_of(made[-1]) if made else BEGIN}
        made.append(AuditEntry(**raw).to_line())
    return made


def edited(line: bytes, **changes: Any) -> bytes:
    return AuditEntry(**{**json.loads(line), **changes}).to_line()


def test_an_audit_as_it_was_written_has_no_problem() -> None:
    assert problems(content(GOOD), HEAD) == []
    assert problems(b"", None) == []


@pytest.mark.parametrize(
    ("tamper", "line", "words"),
    [
        (lambda lines: lines[:3] + lines[4:], 4, "it is entry 5: entry 4 is missing here"),
        (lambda lines: lines[:2] + lines[5:], 3, "it is entry 6: entries 3 to 5 are missing here"),
        (lambda lines: lines[1:], 1, "it is entry 2: entry 1 is missing here"),
        (lambda lines: [*lines[:3], edited(lines[3], reason="x"), *lines[4:]], 5, "line 4 was changed"),
        (lambda lines: [*lines[:3], edited(lines[3], at="2030-01-01T00:00:00Z"), *lines[4:]], 5, "line 4 was changed"),
        (lambda lines: [*lines[:3], lines[3] + b" ", *lines[4:]], 5, "line 4 was changed"),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 4, "it is entry 5: entry 4 is missing here"),
        (lambda lines: [*lines[:4], lines[3], *lines[4:]], 5, "it is entry 4, and should be entry 5"),
        (lambda lines: [*lines[:3], b"{}", *lines[3:]], 4, "it does not have the keys of an audit"),
        (lambda lines: [*lines[:3], b"\xff\x00", *lines[4:]], 4, "it is not JSON"),
        (lambda lines: [*lines[:-1], edited(lines[-1], reason="x")], 8, "it is not the line that was signed"),
        (lambda lines: lines[:-2], 0, "entry 8 was signed, and there are 6 lines"),
        (lambda lines: [], 0, "entry 8 was signed, and there are 0 lines"),
        (lambda lines: lines_of(9), 9, "it was never signed: the last signed entry is 8"),
        # Everything computed anew, by one who has no key.
        (lambda lines: rechained(lines[:3] + lines[4:]), 0, "entry 8 was signed, and there are 7 lines"),
        (
            lambda lines: rechained([*lines[:3], edited(lines[3], reason="x"), *lines[4:]]),
            8,
            "not the line that was signed",
        ),
        (lambda lines: rechained([*lines, lines[0]]), 9, "it was never signed"),
    ],
)
def test_what_was_done_to_the_lines_is_named(
    tamper: Callable[[list[bytes]], list[bytes]], line: int, words: str
) -> None:
    found = problems(content(tamper(list(GOOD))), HEAD)
    assert any(problem.line == line and words in problem.words for problem in found), found


def test_without_a_head_nothing_is_believed() -> None:
    assert problems(content(GOOD), None) == [Problem(0, "the signed head is missing")]
    assert [one.line for one in problems(content(GOOD[:3] + GOOD[4:]), None)] == [4, 0]


def test_what_was_verified_before_is_not_looked_at_again() -> None:
    for count in range(len(GOOD) + 1):
        before = Prefix(count, digest_of(GOOD[count - 1]) if count else BEGIN)
        rest = GOOD[count:]
        assert problems(content(rest), HEAD, before) == []
        assert is_unfinished(content(rest[:-1]), HEAD, before) is (count < len(GOOD))
        for number in range(count + 1, len(GOOD)):
            found = problems(content([line for line in rest if line != GOOD[number - 1]]), HEAD, before)
            assert [one.line for one in found][:1] == [number]
    assert problems(b"", Head(GOOD[-1]), Prefix(8, BEGIN)) == [Problem(8, "it is not the line that was signed")]


@given(st.integers(0, len(content(GOOD)) - 1), st.integers(0, 255))
def test_no_byte_can_be_changed(place: int, value: int) -> None:
    whole = bytearray(content(GOOD))
    if whole[place] != value:
        whole[place] = value
        assert problems(bytes(whole), HEAD)


@given(st.integers(0, len(content(GOOD))))
def test_a_log_that_ends_early_is_a_kill_in_the_last_line_or_a_problem(length: int) -> None:
    """The head is there first; of its line, any part may be."""
    cut = content(GOOD)[:length]
    killed = length >= len(content(GOOD[:-1]))
    assert (problems(cut, HEAD) == []) is killed
    if length < len(content(GOOD)):
        assert is_unfinished(cut, HEAD) is killed


def test_a_copy_of_before_must_be_its_begin() -> None:
    assert difference(content(GOOD), content(GOOD[:5])) is None
    assert difference(content(GOOD[:5]), content(GOOD)) == Problem(0, "the copy has 8 lines, and here are 5")
    other = [*GOOD[:2], edited(GOOD[2], reason="x"), *GOOD[3:]]
    assert difference(content(other), content(GOOD)) == Problem(3, "it is not the line of the copy")


def test_a_line_holds_no_secret_and_nothing_that_acts_on_a_screen() -> None:
    secret = "https://user:password@vendor.example/key-4711/file.cvd?token=abc"
    note = Note(
        AuditKind.POLICY_CHANGED,
        {"name": f"emea {secret}"},
        reason=f"because of {secret}\n\x1b[2J",
        evidence={"values": {"sources": {"urls": [secret]}}, secret: 1.23456789},
        by={"user": "\u202eroot"},
    )
    line = entry_of(note, sequence=1, now=NOW, previous=BEGIN).to_line().decode()
    assert "password" not in line
    assert "4711" not in line
    assert "token" not in line
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert line.isprintable()


def test_evidence_that_is_too_long_is_left_out() -> None:
    note = Note(AuditKind.PUBLISHED, evidence={str(number): "x" * 400 for number in range(2000)}, by={"user": "root"})
    line = entry_of(note, sequence=1, now=NOW, previous=BEGIN).to_line()
    assert len(line) < MAX_LINE
    assert AuditEntry.from_line(line).evidence == {"left_out": "the evidence is too long for one line"}


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"1", b'{"sequence": 1}', GOOD[0].replace(b'"sequence":1', b'"sequence":true')]
)
def test_what_is_no_line_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        AuditEntry.from_line(raw)


def test_a_line_is_found_by_the_version_it_is_about_or_names() -> None:
    about = AuditEntry.from_line(GOOD[0])
    assert about.mentions("27001")
    assert not about.mentions("27002")
    note = Note(AuditKind.PUBLISHED, evidence={"components": {"daily": "27555"}}, by={"user": "root"})
    assert entry_of(note, sequence=1, now=NOW, previous=BEGIN).mentions("27555")
