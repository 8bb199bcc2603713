# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A version is a word with a digit in it that matches its pattern, whatever was printed."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.dates import read_date
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.versions import (
    VersionReading,
    read_components,
    told,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationErrors
from hypothesis import given
from hypothesis import strategies as st

NOW = 1795305600.0
LINE = {"file": "/v", "pattern": "Version: (?P<version>.+)"}
HEALTH = {
    "command": ["/usr/bin/mdatp", "health"],
    "json": "definitions.version",
    "date": "definitions.updated",
    "date_format": "unix_ms",
}


def read(raw: dict[str, object], text: str) -> VersionReading:
    errors = ValidationErrors()
    source = read_components({"x": raw}, "components", errors, ())["x"]
    errors.check()
    return told(source, text, NOW)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Version: 1.2.3\n", "1.2.3"),
        ("\n  Version:   7:1.2~rc1+deb13u1  \nVersion: 9", "7:1.2~rc1+deb13u1"),
        ("version: 1", ""),
        ("Version: latest", ""),
        ("Version: unreadable", ""),
        ("Version: 1.2 3", ""),
        ("Version: <b>1</b>", ""),
        ("Fassung: 12", ""),
        ("Version: 1\u0662", ""),
        ("Version: " + "1" * 81, ""),
        ("<!DOCTYPE html><html><body>\nVersion: 1.2.3\n", ""),
        ("<?xml version='1.0'?>\nVersion: 1.2.3\n", ""),
        ("", ""),
    ],
)
def test_versions_in_lines(text: str, version: str) -> None:
    assert read(LINE, text) == VersionReading(version)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"definitions": {"version": "1.2", "updated": "1795305600000"}}', VersionReading("1.2", 1795305600)),
        ('{"definitions": {"version": 17, "updated": 1795305600000}}', VersionReading("17", 1795305600)),
        ('{"definitions": {"version": "1.2", "updated": "soon"}}', VersionReading("1.2")),
        ('{"definitions": {"version": null}}', VersionReading()),
        ('{"definitions": ["1.2"]}', VersionReading()),
        ('{"definitions": {"version": "updating"}}', VersionReading()),
        ("[" * 100_000, VersionReading()),
        ("not yet", VersionReading()),
    ],
)
def test_versions_in_json(text: str, expected: VersionReading) -> None:
    assert read(HEALTH, text) == expected


def test_a_revision_is_a_part_of_the_version() -> None:
    pattern = "(?P<date>(?P<version>[0-9/]{10})) rev[.] (?P<revision>[0-9]+)"
    raw = {"file": "/v", "pattern": pattern, "date_format": "%m/%d/%Y"}
    assert read(raw, "11/22/2026 rev. 3\n") == VersionReading("11/22/2026-3", 1795305600)


def test_a_heading_tells_which_line_counts() -> None:
    raw = {"file": "/v", "after": "Engine", "pattern": "Version: (?P<version>.+)"}
    assert read(raw, "Patterns\nVersion: 1\nEngine\nVersion: 2\n") == VersionReading("2")
    assert read(raw, "Patterns\nVersion: 1\n") == VersionReading()


@pytest.mark.parametrize(
    ("text", "form", "at"),
    [
        ("1795305600", "unix", 1795305600),
        ("1795305600000", "unix_ms", 1795305600),
        ("1795305600000", "unix", None),
        ("1795305600", "unix_ms", None),
        ("2026-11-22T00:00:00Z", "iso", 1795305600),
        ("2026-11-22T01:00:00+01:00", "iso", 1795305600),
        ("22.11.2026", "%d.%m.%Y", 1795305600),
        ("22.11.1999", "%d.%m.%Y", None),
        ("22.11.2027", "%d.%m.%Y", None),
        ("31.02.2026", "%d.%m.%Y", None),
        ("9" * 30, "unix", None),
    ],
)
def test_dates(text: str, form: str, at: int | None) -> None:
    assert read_date(text, form, NOW) == at


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    for raw in (LINE, HEALTH):
        one = read(raw, text)
        assert one.version == "" or any(map(str.isdigit, one.version))
