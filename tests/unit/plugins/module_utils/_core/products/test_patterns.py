# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns are bounded: what could take for ever is refused, and output is cut before it is looked at."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import patterns
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.patterns import first_match, lines_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.parsers import InvalidValue
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    [
        "Version:(?P<version>[0-9]+)",
        "(?i)engine version: (?P<version>[0-9.]+) of (?P<date>.+)",
        ".*database (?P<version>[0-9]+) \\((?P<date>[0-9]{8})\\)",
        "(?:Core|Engine) (?P<version>[0-9]{1,3}\\.[0-9]{1,5})",
    ],
)
def test_usual_patterns_are_taken(text: str) -> None:
    assert patterns.pattern(needs=("version",), allows=("date",))(text).pattern == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a pattern"),
        (1, "a pattern"),
        ("(?P<version>[0-9]+", "missing ), unterminated subpattern"),
        ("[0-9]+", "with the group (?P<version>...)"),
        ("(?P<version>[0-9]+)(?P<other>x)", "without the group other"),
        ("(?P<version>(?:a+)+)$", "repetitions inside repetitions"),
        ("(?P<version>(?:a|aa)*)$", "alternatives inside repetitions"),
        ("(?P<version>a)(?P=version)", "look-arounds, back references"),
        ("(?=x)(?P<version>a)", "look-arounds, back references"),
        (".*.*.*.*(?P<version>[0-9]+)", "at most three parts of open length"),
        ("a?" * 40 + "(?P<version>a)", "at most three parts of open length"),
        ("(?P<version>[0-9]+)" + "x" * 200, "at most 200 characters"),
        ("(?P<version>[0-9]+)\n", "without line breaks"),
    ],
)
def test_others_are_refused(text: object, why: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        patterns.pattern(needs=("version",), allows=("date",))(text)
    assert why in refused.value.allowed


def test_lines_are_cut_and_their_white_space_is_one_space() -> None:
    assert lines_of(" a \t b\r\n\n", "c\x00d\n") == ("a b", "c\x00d")
    assert [len(line) for line in lines_of("x" * 100_000)] == [patterns.LONGEST_LINE]
    many = lines_of("\n".join(map(str, range(10_000))))
    assert (len(many), many[0], many[-1]) == (patterns.MOST_LINES, "0", "9999")


@given(st.text(), st.sampled_from([".*.*(.*)x", "(?:[a-z]+ ){0,1}(.+)", "(a?)(b?)(c*).*z"]))
def test_no_text_takes_a_pattern_long(text: str, wanted: str) -> None:
    """A pattern that was taken comes to an end on any line; one that does not would stop this test."""
    first_match(patterns.pattern()(wanted), lines_of(text, "a" * 100_000, "abc " * 10_000))
