# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered of a source: enough for a conditional request, unless the source could look the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.source_cache import SourceCache

URL = "http://source.example/manifest.json"
HELD = {"release": "1-abc"}
NOON = "Sun, 22 Nov 2026 12:00:00 GMT"


def condition(directory: Path, headers: dict[str, str]) -> dict[str, str]:
    memory = SourceCache.load(str(directory))
    memory.store_validators(URL, headers, HELD)
    return SourceCache.load(str(directory)).conditional_headers(URL, HELD)


@pytest.mark.parametrize("modified", ["11:59:59", "12:00:00", "12:00:01"])
def test_two_versions_of_one_second_look_alike_so_the_next_request_is_unconditional(
    tmp_path: Path, modified: str
) -> None:
    """nginx's entity tag is the second of the change and the size: both can stay as they were in a new version."""
    headers = {"etag": '"65f1-2a"', "last-modified": f"Sun, 22 Nov 2026 {modified} GMT", "date": NOON}
    assert condition(tmp_path, headers) == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"etag": '"65f1-2a"', "last-modified": "Sun, 22 Nov 2026 11:59:58 GMT", "date": NOON},
        {"etag": '"65f1-2a"', "date": NOON},
        {"etag": '"65f1-2a"', "last-modified": "not a date", "date": NOON},
        {"etag": '"65f1-2a"', "last-modified": NOON},
    ],
)
def test_otherwise_it_is_conditional(tmp_path: Path, headers: dict[str, str]) -> None:
    assert condition(tmp_path, headers)["If-None-Match"] == '"65f1-2a"'


@pytest.mark.parametrize(
    ("ahead", "cools"), [(0, False), (60, True), (24 * 3600, True), (24 * 3600 + 1, False), (9 * 365 * 86400, False)]
)
def test_a_source_is_left_alone_for_as_long_as_it_may_ask(tmp_path: Path, ahead: int, cools: bool) -> None:
    """A clock that was ahead may have written down more."""
    now = 1_795_348_800
    SourceCache.load(str(tmp_path)).cool_down(URL, now + ahead)
    assert SourceCache.load(str(tmp_path)).cooling_until(URL, now) == (now + ahead if cools else None)


def test_what_is_remembered_is_for_root_alone(tmp_path: Path) -> None:
    """A source's URL may hold a customer's key, and everybody may enter the directory."""
    SourceCache.load(str(tmp_path)).cool_down(URL, 1)
    assert (tmp_path / "sources.json").stat().st_mode & 0o777 == 0o600
