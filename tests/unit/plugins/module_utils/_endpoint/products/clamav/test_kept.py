# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Earlier sets of ClamAV's databases: kept by links, put back by renames, no more than is allowed (G5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.holds import NO_HOLDS, Hold, Holds
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.trust import RestoreSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav import own_signature
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.kept import NAME, KeptSets

from ...conftest import Sandbox

DAT = b"FreshClamData, and more"


class Databases:
    """A database directory, in which versions come as freshclam brings them: by a rename."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "freshclam.dat").write_bytes(DAT)
        (directory / "own.yar").write_text("of an administrator")
        self.sets = KeptSets(str(directory), ("daily", "main", "own.ndb"))

    def bring(self, name: str, version: int, *, size: int = 600) -> None:
        content = f"ClamAV-VDB:soon:{version}:0:81:X:X:someone:{version}".ljust(size)
        self.replace(name, content)

    def replace(self, name: str, content: str) -> None:
        new = self.directory / "tmp.new"
        new.write_text(content)
        new.rename(self.directory / name)

    def keep(self, versions: int = 2, space: int = 1 << 30) -> None:
        self.sets.keep(RestoreSettings(versions, space))

    def restore(self, *held: tuple[str, str]) -> list[str]:
        holds = Holds(tuple(Hold(version, name) for name, version in held)) if held else NO_HOLDS
        return [f"{one.name} {one.version}" for one in self.sets.restore(holds)]

    def files(self) -> dict[str, str]:
        paths = (path for path in self.directory.iterdir() if path.is_file())
        return {path.name: path.read_text().split(":")[2] if "VDB" in path.read_text() else "" for path in paths}

    def kept(self) -> list[str]:
        place = self.directory / NAME
        return sorted(path.name for path in place.iterdir()) if place.exists() else []


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    databases = Databases(tmp_path)
    databases.bring("main.cvd", 1)
    databases.bring("daily.cvd", 1)
    return databases


def test_a_set_is_kept_once_and_costs_no_space(databases: Databases) -> None:
    databases.keep()
    before = os.stat(databases.directory / NAME).st_mtime_ns
    databases.keep()
    assert databases.kept() == ["00000001"]
    assert os.stat(databases.directory / NAME).st_mtime_ns == before
    kept = databases.directory / NAME / "00000001"
    assert {path.name for path in kept.iterdir()} == {"main.cvd", "daily.cvd"}
    assert kept.joinpath("daily.cvd").samefile(databases.directory / "daily.cvd")


def test_the_last_set_comes_back_whole_and_nothing_else_is_touched(databases: Databases) -> None:
    """freshclam leaves a ``.cld`` in place of a ``.cvd``: the newer of the two would count."""
    databases.keep()
    databases.bring("daily.cld", 2)
    (databases.directory / "daily.cvd").unlink()
    assert databases.restore() == ["daily 1", "main 1"]
    assert databases.files() == {"main.cvd": "1", "daily.cvd": "1", "freshclam.dat": "", "own.yar": ""}
    assert (databases.directory / "freshclam.dat").read_bytes() == DAT
    assert databases.restore() == []


def test_a_set_with_a_held_version_is_passed_over_and_dropped(databases: Databases) -> None:
    databases.keep()
    for version in (2, 3):
        databases.bring("daily.cvd", version)
        databases.keep()
    assert databases.restore(("daily", "3"), ("daily", "2")) == ["daily 1", "main 1"]
    assert databases.kept() == ["00000001"]


def test_a_database_that_is_not_signed_comes_back_too(databases: Databases) -> None:
    databases.replace("own.ndb", "good")
    databases.keep()
    databases.replace("own.ndb", "bad")
    databases.restore()
    assert (databases.directory / "own.ndb").read_text() == "good"


@pytest.mark.parametrize(
    ("versions", "space", "kept"),
    [
        (0, 1 << 30, []),
        (1, 1 << 30, ["00000004", "00000005"]),
        (2, 1 << 30, ["00000003", "00000004", "00000005"]),
        (9, 1 << 30, ["00000001", "00000002", "00000003", "00000004", "00000005"]),
        (9, 1200, ["00000003", "00000004", "00000005"]),
        (9, 0, ["00000004", "00000005"]),
    ],
)
def test_no_more_sets_are_kept_than_number_and_space_allow(
    databases: Databases, versions: int, space: int, kept: list[str]
) -> None:
    """One set before the installed one is within any space; what sets share is counted once."""
    for version in range(1, 6):
        databases.bring("daily.cvd", version)
        databases.keep(9 if versions else 0)
    databases.keep(versions, space)
    assert databases.kept() == kept


def test_what_an_update_needs_is_left_free(tmp_path: Path, small_disk: Callable[[Path, str], None]) -> None:
    small_disk(tmp_path / "databases", "size=200k,mode=777")
    databases = Databases(tmp_path / "databases")
    for version, free in ((1, True), (2, True), (3, False)):
        databases.bring("daily.cvd", version, size=50 * 1024)
        databases.keep()
        assert (databases.kept() == [f"{number:08d}" for number in range(1, version + 1)]) is free
    assert databases.kept() == ["00000003"]


def test_what_a_killed_run_left_is_swept(databases: Databases) -> None:
    databases.keep()
    left = databases.directory / NAME / "00000002.new"
    left.mkdir()
    (left / "daily.cvd").write_text("half")
    databases.keep()
    assert databases.kept() == ["00000001"]


def test_without_databases_nothing_is_kept(tmp_path: Path) -> None:
    databases = Databases(tmp_path)
    databases.keep()
    assert databases.kept() == []
    assert databases.restore() == []


def test_what_was_made_for_us_alone_goes_when_we_leave(sandbox: Sandbox) -> None:
    """The databases stay: the scanners use them."""
    sandbox.converge(product="clamav", clamav={"databases": ["test"]}, command={})
    place = sandbox.root / "var/lib/clamav"
    (place / NAME / "00000001").mkdir(parents=True)
    for name in ("test.cvd", own_signature.NAME, f"{NAME}/00000001/test.cvd"):
        (place / name).write_text("x")
    assert remove(sandbox.host, check=True).changed
    assert (place / NAME).exists()
    remove(sandbox.host, check=False)
    assert [path.name for path in place.iterdir()] == ["test.cvd"]
