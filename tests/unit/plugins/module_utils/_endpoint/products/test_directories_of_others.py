# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root updates products in directories that belong to others, and touches nothing but what is in them (C3)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.base import Product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav import (
    cvd,
    database_directory,
    freshclam_dat,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.open_directory import (
    NotRegular,
    temporary_name,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.safe_paths import UnsafePath
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import Source
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.filesystem.others import (
    USER,
    as_root,
    beside,
    by_the_other,
    machine,
    make_victim,
    plant,
    state,
    swap,
)

NOW = 1_790_000_000
LEFTOVER = "tmp.0123456789"
STEPS = (
    *("", "incoming", "incoming/{part}", "releases", "releases/3.new"),
    *("sources.json", "current", temporary_name("current")),
)
"""Below the components' directory."""

pytestmark = as_root


@pytest.fixture
def base() -> Iterator[Path]:
    with machine() as place:
        yield place


@pytest.fixture
def theirs(base: Path) -> Path:
    """A directory of the other user's, in which root keeps components."""
    (base / "app").mkdir()
    os.chown(base / "app", USER, USER)
    return base / "app"


@pytest.fixture
def victim(base: Path) -> Path:
    """What root would empty if it took it for the components' directory, or for ClamAV's."""
    made = make_victim(base, "sources.json")
    for name in ("incoming", "releases/1.new", LEFTOVER):
        (made / name).mkdir(parents=True)
        (made / name / "key").write_bytes(b"secret")
    return made


@pytest.fixture
def product(theirs: Path, document: Callable[..., EndpointDocument], source: Source) -> Product:
    settings = {"directory": str(theirs / "components")}
    made = select_product(document("files", urls=[source.server.url], files=settings), LocalHost())
    assert made.update(20).result is Result.UPDATED
    source.write(a="two")
    source.publish("2")
    return made


def hand_over(directory: Path) -> None:
    """Give everything in a directory to the other user, as somebody's chown -R would."""
    for path in [directory, *directory.rglob("*")]:
        os.lchown(path, USER, USER)


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "file"])
@pytest.mark.parametrize(
    "step",
    [
        "",
        "incoming",
        "incoming/{part}",
        "releases",
        "releases/3.new",
        "sources.json",
        "current",
        temporary_name("current"),
    ],
)
def test_what_is_planted_among_the_components_leads_nowhere(
    product: Product, source: Source, theirs: Path, victim: Path, kind: str, step: str
) -> None:
    part = next(file.sha256 for file in source.publish("2").files if file.path == "patterns/a.dat") + ".part"
    place = theirs / "components" / step.format(part=part)
    hand_over(theirs / "components")
    aim = victim / place.name if (victim / place.name).exists() else victim
    by_the_other(lambda: plant(kind, place, aim))
    before = state(victim)
    outcome = product.update(20)
    assert state(victim) == before
    assert outcome.result in (Result.UPDATED, Result.FAILED)
    assert outcome.result is Result.UPDATED or "the installed version is kept" in outcome.why


def test_half_a_download_is_not_added_to_a_file_of_somebody_else(
    product: Product, source: Source, theirs: Path, victim: Path
) -> None:
    """A second name for a file of root's; most systems let nobody else make one."""
    source.write(a="longer than what root's file holds")
    wanted = next(file.sha256 for file in source.publish("2").files if file.path == "patterns/a.dat")
    os.link(victim / "private/key", theirs / "components/incoming" / f"{wanted}.part")
    told = (victim / "private/key").stat()
    assert product.update(20).result is Result.UPDATED
    after = (victim / "private/key").stat()
    assert (victim / "private/key").read_bytes() == b"secret"
    assert (after.st_mode, after.st_mtime_ns, after.st_nlink) == (told.st_mode, told.st_mtime_ns, 1)


def test_nor_does_what_is_swapped_while_components_are_updated(
    product: Product, source: Source, theirs: Path, victim: Path
) -> None:
    decoy = theirs / "decoy"
    by_the_other(lambda: decoy.symlink_to(victim))
    before, results = state(victim), set()
    with beside(lambda: swap(theirs / "components", decoy)):
        for version in range(3, 200):
            source.write(a=f"version {version}")
            source.publish(str(version))
            results.add(product.update(20).result)
            if version > 20 and results >= {Result.UPDATED, Result.FAILED}:
                break
    assert state(victim) == before
    assert Result.FAILED in results


@pytest.mark.parametrize("swapped", [False, True])
def test_leftovers_are_swept_from_clamavs_own_directory_alone(theirs: Path, victim: Path, swapped: bool) -> None:
    databases, decoy = theirs / "databases", theirs / "decoy"

    def leave() -> None:
        (databases / LEFTOVER / "clamav-1" / "deep").mkdir(parents=True)
        (databases / LEFTOVER / "link").symlink_to(victim)
        (databases / "tmp.abcdefabcd").symlink_to(victim / LEFTOVER)

    by_the_other(lambda: [leave(), decoy.symlink_to(victim)])
    before = state(victim)
    if not swapped:
        database_directory.sweep(str(databases), older_than=0)
        assert os.listdir(databases) == ["tmp.abcdefabcd"]
    else:
        with beside(lambda: swap(databases, decoy)):
            for _try in range(300):
                with suppress(UnsafePath):
                    database_directory.sweep(str(databases), older_than=0)
    assert state(victim) == before


def test_a_directory_behind_a_link_of_clamavs_is_a_fault_that_is_told(
    theirs: Path, victim: Path, document: Callable[..., EndpointDocument]
) -> None:
    by_the_other(lambda: (theirs / "databases").symlink_to(victim))
    settings = document("clamav", urls=[], clamav={"database_directory": str(theirs / "databases")}).clamav
    told = database_directory.prepare(LocalHost(), settings)
    assert f"{theirs}/databases is a symbolic link that the user with uid {USER} could have made" in told


@pytest.mark.parametrize("kind", ["link", "fifo", "socket", "directory"])
def test_only_regular_files_are_databases(theirs: Path, victim: Path, kind: str) -> None:
    for name in ("daily.cvd", "custom.ndb", freshclam_dat.NAME):
        by_the_other(lambda name=name: plant(kind, theirs / name, victim / "sources.json"))
    before = state(victim)
    assert cvd.read_signed(str(theirs), "daily") is None
    assert cvd.read_plain(str(theirs), "custom.ndb") is None
    assert freshclam_dat.cooling_until(str(theirs), NOW) is None
    with pytest.raises(OSError, match=str(theirs)):
        freshclam_dat.forget_impossible(str(theirs), NOW)
    assert state(victim) == before


def test_no_cool_down_is_taken_out_of_a_file_of_somebody_else(theirs: Path, victim: Path) -> None:
    (victim / "dat").write_bytes(b"FreshClamData".ljust(freshclam_dat.SIZES[-1], b"\x01"))
    os.link(victim / "dat", theirs / freshclam_dat.NAME)
    before = state(victim)
    with pytest.raises(NotRegular):
        freshclam_dat.forget_impossible(str(theirs), NOW)
    assert state(victim) == before
