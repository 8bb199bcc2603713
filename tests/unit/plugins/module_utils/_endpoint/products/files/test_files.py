# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product files against real servers: what is fetched, what stays, what is mended (C3, R1)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import Directory
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    DIRECTORY,
    MANIFEST,
    Source,
    current,
    installed,
    update,
    versions,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)


@pytest.mark.parametrize(
    ("directory", "makes"),
    [
        ("/srv/components", (Directory("/srv/components"),)),
        ("/var/lib/epp-autoupdate/components", ()),  # the unit makes what is missing in the state directory by itself
    ],
)
def test_the_unit_makes_a_missing_directory_that_it_could_not_make_shut_in(
    host: LocalHost, document: Callable[..., EndpointDocument], directory: str, makes: tuple[Directory, ...]
) -> None:
    needs = Files.of(document("files", urls=["http://one.example"], files={"directory": directory}), host).needs()
    assert (needs.creates, needs.read_write) == (makes, (directory,))


def test_fetches_what_scope_takes_and_then_asks_once(files: Files, host: LocalHost, source: Source) -> None:
    assert files.components() == ()
    assert update(files).result is Result.UPDATED
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert source.seen() == [MANIFEST, "object", "object"]
    assert update(files) == Outcome(Result.CURRENT)
    assert source.server.seen() == [(MANIFEST, 304)]


def test_fetches_only_what_changed(files: Files, host: LocalHost, source: Source) -> None:
    update(files)
    source.seen()
    source.write(a="two")
    source.publish("2")
    assert update(files).result is Result.UPDATED
    assert source.seen() == [MANIFEST, "object"]
    assert versions(files) == {"patterns-a": "2", "patterns-b": "1"}
    assert installed(host) == {"patterns/a.dat": "two", "patterns/b.dat": "bee"}


def test_a_republished_manifest_of_the_same_version_changes_nothing(files: Files, source: Source) -> None:
    update(files)
    source.publish("1")
    path = Path(source.server.folder) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert update(files) == Outcome(Result.CURRENT)
    source.seen()
    assert update(files) == Outcome(Result.CURRENT)
    assert source.server.seen() == [(MANIFEST, 304)]


def test_files_that_a_version_drops_are_gone(files: Files, host: LocalHost, source: Source) -> None:
    update(files)
    (source.folder / "patterns" / "b.dat").unlink()
    source.publish("2")
    assert update(files).result is Result.UPDATED
    assert installed(host) == {"patterns/a.dat": "one"}


@pytest.mark.parametrize(
    ("scope", "paths"),
    [
        ("patterns", {"patterns/a.dat", "patterns/b.dat"}),
        ("engines", {"engines/e.dat"}),
        ("all", {"patterns/a.dat", "patterns/b.dat", "engines/e.dat", "programs/p.dat"}),
    ],
)
def test_scope(
    host: LocalHost, document: Callable[..., EndpointDocument], source: Source, scope: str, paths: set[str]
) -> None:
    product = select_product(document("files", urls=[source.server.url], scope=scope), host)
    assert product.update(20).result is Result.UPDATED
    assert set(installed(host)) == paths


@pytest.mark.parametrize(
    ("there", "scope", "why"),
    [
        ({"engines__e": "x"}, "patterns", "its files are 1 of kind engine, and components.scope: patterns takes none"),
        ({"engines__e": "x"}, "patterns", "(set engines)"),
        (
            {"engines__e": "x", "programs__p": "x", "programs__q": "x"},
            "patterns",
            "1 of kind engine, 2 of kind program",
        ),
        ({"engines__e": "x", "programs__p": "x"}, "patterns", "(set all)"),
        ({"a": "x"}, "engines", "(set patterns)"),
    ],
)
def test_what_no_scope_takes_is_told_with_what_to_set(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    tmp_path: Path,
    server: ScriptedServer,
    there: dict[str, str],
    scope: str,
    why: str,
) -> None:
    source = Source(tmp_path / "other", server)
    source.write(**there)
    source.publish("1")
    outcome = select_product(document("files", urls=[server.url], scope=scope), host).update(20)
    assert outcome.result is Result.FAILED
    assert why in outcome.why


def test_what_scope_leaves_stays_as_installed(
    host: LocalHost, document: Callable[..., EndpointDocument], source: Source
) -> None:
    select_product(document("files", urls=[source.server.url], scope="all"), host).update(20)
    source.write(a="two", engines__e="engine two")
    source.publish("2")
    select_product(document("files", urls=[source.server.url], scope="patterns"), host).update(20)
    assert installed(host)["patterns/a.dat"] == "two"
    assert installed(host)["engines/e.dat"] == "engine"
    # A wider scope takes the rest, although the source has nothing new.
    select_product(document("files", urls=[source.server.url], scope="all"), host).update(20)
    assert installed(host)["engines/e.dat"] == "engine two"


def test_an_older_manifest_is_held(files: Files, host: LocalHost, source: Source) -> None:
    source.write(a="ten")
    source.publish("1.10")
    update(files)
    source.write(a="nine")
    source.publish("1.9")
    outcome = update(files)
    assert outcome.result is Result.HELD
    assert outcome.why == "the source offers version 1.9, older than 1.10; nothing is downgraded"
    assert installed(host)["patterns/a.dat"] == "ten"


def spoil_edit(path: Path) -> None:
    path.write_text("BEE")


def spoil_size(path: Path) -> None:
    path.write_text("bee and more")


def spoil_remove(path: Path) -> None:
    path.unlink()


def spoil_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def spoil_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [spoil_edit, spoil_size, spoil_remove, spoil_link, spoil_directory])
def test_what_was_changed_by_hand_shows_and_is_mended(
    files: Files, host: LocalHost, source: Source, spoil: Callable[[Path], None]
) -> None:
    update(files)
    source.seen()
    spoil(current(host, "patterns/b.dat"))
    assert versions(files) == {"patterns-a": "1", "patterns-b": "damaged"}
    outcome = update(files)
    assert outcome == Outcome(Result.UPDATED, "mended 1 files, first patterns/b.dat")
    assert source.seen() == [MANIFEST, "object"]
    assert versions(files) == {"patterns-a": "1", "patterns-b": "1"}
    assert installed(host)["patterns/b.dat"] == "bee"
    assert update(files) == Outcome(Result.CURRENT)
    assert source.server.seen() == [(MANIFEST, 304)]


def test_a_touched_file_with_the_right_content_is_no_damage(files: Files, host: LocalHost, source: Source) -> None:
    update(files)
    os.utime(current(host, "patterns/b.dat"), (1, 1))
    assert versions(files)["patterns-b"] == "1"
    assert update(files) == Outcome(Result.CURRENT)


@pytest.mark.parametrize("what", ["current", "release.json", "sources.json", "everything"])
def test_lost_or_damaged_memory_costs_no_more_than_downloads(
    files: Files, host: LocalHost, source: Source, what: str
) -> None:
    update(files)
    store = Path(host.real(DIRECTORY))
    if what == "current":
        (store / "current").unlink()
        (store / "current").mkdir()
        (store / "current" / "mine").write_text("x")
    elif what == "release.json":
        next(store.glob("releases/*/release.json")).write_text("{}")
    elif what == "sources.json":
        (store / "sources.json").write_bytes(b"\0\0")
    else:
        os.rename(store, str(store) + ".away")
    assert update(files).result in (Result.UPDATED, Result.CURRENT)
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert update(files) == Outcome(Result.CURRENT)


def test_two_versions_before_are_kept_and_no_download(files: Files, host: LocalHost, source: Source) -> None:
    for number in range(1, 5):
        source.write(a=f"content {number}")
        source.publish(str(number))
        update(files)
    store = Path(host.real(DIRECTORY))
    names = sorted(path.name.partition("-")[0] for path in (store / "releases").iterdir())
    assert names == ["2", "3", "4"]
    assert list((store / "incoming").iterdir()) == []


def test_a_scan_is_not_possible_and_says_so(files: Files) -> None:
    outcome = files.scan(["/"], 5)
    assert (outcome.ok, outcome.why) == (False, "the product files has no scanner")
