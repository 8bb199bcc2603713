# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways in which people update these products today, each with where it was seen, and what only looks like one.

What came with a package is switched off; what somebody wrote is told, and switched off with a take-over alone. Either
way it is given back byte for byte.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.definition import read_definition
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Program
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationErrors
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.product import FRESHCLAM
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.vendor_updaters import Found, find
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.vendor_updaters.restore import (
    notes_left,
    remembered_entries,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.reconcile import apply, diff

HERE = Path(__file__).parent
DEFINITIONS = HERE.parents[5] / "plugins/module_utils/_core/products/definitions"
WAYS: dict[str, dict[str, Any]] = json.loads((HERE / "ways.json").read_text())
NEAR_MISSES: dict[str, dict[str, str]] = json.loads((HERE / "near_misses.json").read_text())
LEAST = 12


def programs(product: str) -> tuple[Program, ...]:
    """The updaters of a product."""
    if product == "clamav":
        return (FRESHCLAM,)
    raw = json.loads((DEFINITIONS / f"{product}.json").read_text())
    return read_definition(product, raw, product, ValidationErrors()).vendor_updaters


def host_with(root: Path, files: dict[str, str], links: dict[str, str] | None = None) -> LocalHost:
    """A directory with these files, scripts executable and what lies in a spool private."""
    for path, text in files.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod((0o755 if text.startswith("#!") else 0o644) & (0o700 if "/spool/" in path else 0o777))
    for path, target in (links or {}).items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).symlink_to(target)
    return LocalHost(str(root))


def tree(root: Path) -> dict[str, tuple[int, str]]:
    """The mode and the content of each file, and where each link leads."""
    paths = sorted(path for path in root.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(root)): (path.lstat().st_mode, what_is_at(path)) for path in paths}


def what_is_at(path: Path) -> str:
    return os.readlink(path) if path.is_symlink() else path.read_text()


def carry_out(host: LocalHost, entries: Any) -> None:
    by_path = {entry.path: entry for entry in entries}
    for change in diff(host, tuple(by_path.values())):
        apply(host, by_path[change.path])


@pytest.mark.parametrize("way", WAYS)
def test_a_way_is_told_or_switched_off_and_given_back(way: str, tmp_path: Path) -> None:
    case = WAYS[way]
    host, what = host_with(tmp_path, case["files"], case.get("links")), programs(case["product"])
    before, told = tree(tmp_path), tuple(case.get("told", ()))
    found, taken = find(host, what, takeover=False), find(host, what, takeover=True)
    assert places(found) == told
    assert bool(diff(host, found.entries)) is (not told)
    assert bool(found.notes) is (not told)
    assert bool(taken.theirs) is bool(told and not case.get("stays"))
    assert places(taken) == (told if case.get("stays") else ())
    carry_out(host, taken.entries)
    again = find(host, what, takeover=True)
    assert not diff(host, again.entries), "a second look finds nothing to do"
    assert all(tree(tmp_path).get(path[1:]) == before[path[1:]] for path in case.get("kept", ()))
    for path, text in case.get("left", {}).items():
        assert (tmp_path / path[1:]).read_text() == text
    carry_out(host, remembered_entries(host, notes_left(host, taken.notes)))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_only_looks_like_an_update_is_none(name: str, tmp_path: Path) -> None:
    host = host_with(tmp_path, NEAR_MISSES[name])
    assert find(host, programs("clamav"), takeover=True) == Found()


def test_the_table_has_a_source_for_each_of_enough_ways() -> None:
    assert len(WAYS) >= LEAST
    assert all(case["source"] and case["files"] for case in WAYS.values())
    products = {"clamav", "fangfrisch", "rkhunter", "spamassassin", "suricata"}
    assert {case["product"] for case in WAYS.values()} == products


def test_a_sentence_names_the_place_the_program_and_what_to_do(tmp_path: Path) -> None:
    host = host_with(tmp_path, WAYS["root's crontab"]["files"])
    sentence = "line 2 of /var/spool/cron/crontabs/root starts freshclam"
    assert find(host, programs("clamav"), takeover=False).told == (sentence,)
    (tmp_path / "etc").mkdir()
    more = host_with(tmp_path / "etc/more", WAYS["a script that backs up, too"]["files"])
    (told,) = find(more, programs("clamav"), takeover=True).told
    assert told.endswith("left as it is: it does other things, too, so take the updater out of it yourself")


def places(found: Found) -> tuple[str, ...]:
    return tuple(sentence.partition(" starts ")[0] for sentence in found.told)
