# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Earlier releases of the product files: kept, put back in one step, held versions passed over (G5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.holds import NO_HOLDS, Hold, Holds
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    DIRECTORY,
    Source,
    current,
    installed,
)

HELD = Holds((Hold("2", reason="it is bad"),))


def bring(files: Files, source: Source, *numbers: int) -> None:
    for number in numbers:
        source.write(a=f"content {number}")
        source.publish(str(number))
        assert files.update(20).result is Result.UPDATED


def releases(host: LocalHost) -> list[str]:
    names = (path.name for path in Path(host.real(f"{DIRECTORY}/releases")).iterdir())
    return sorted(name.partition("-")[0] for name in names)


def test_the_release_before_is_back_and_the_bad_one_is_gone(files: Files, host: LocalHost, source: Source) -> None:
    bring(files, source, 1, 2)
    source.seen()
    back = files.restore(HELD, alive=False)
    assert (back.done, back.why) == (True, "version 1 is back")
    assert installed(host)["patterns/a.dat"] == "content 1"
    assert releases(host) == ["1"]
    assert source.seen() == []


def test_a_held_release_is_passed_over(files: Files, host: LocalHost, source: Source) -> None:
    bring(files, source, 1, 2, 3)
    assert files.restore(Holds((*HELD.entries, Hold("3"))), alive=False).why == "version 1 is back"
    assert releases(host) == ["1"]


def test_a_damaged_release_is_passed_over(files: Files, host: LocalHost, source: Source) -> None:
    bring(files, source, 1, 2, 3)
    for path in Path(host.real(f"{DIRECTORY}/releases")).glob("2-*/files/patterns/a.dat"):
        os.unlink(path)
    assert files.restore(NO_HOLDS, alive=False).why == "version 1 is back"


def test_without_an_earlier_release_nothing_changes(files: Files, host: LocalHost, source: Source) -> None:
    bring(files, source, 1)
    back = files.restore(NO_HOLDS, alive=False)
    assert (back.done, back.why) == (False, "no earlier version is kept that could be put back")
    assert installed(host)["patterns/a.dat"] == "content 1"


def test_a_held_release_is_not_begun(files: Files, host: LocalHost, source: Source) -> None:
    bring(files, source, 1)
    source.write(a="content 2")
    source.publish("2")
    assert files.held(HELD) is None
    outcome = files.update(20, HELD)
    assert outcome == Outcome(Result.HELD, "version 2 is held: it is bad; version 1 is kept")
    assert installed(host)["patterns/a.dat"] == "content 1"
    source.write(a="content 3")
    source.publish("3")
    assert files.update(20, HELD).result is Result.UPDATED


def test_a_release_with_a_held_version_of_a_component_is_held(files: Files, source: Source) -> None:
    bring(files, source, 1, 2)
    held = files.held(Holds((Hold("2", "patterns-a"),)))
    assert held is not None
    assert held[0] == "patterns-a 2"
    # The version of one component is not that of the release that brought another one.
    bring(files, source, 3)
    assert files.held(HELD) is None


def test_where_none_is_kept_the_source_may_bring_an_older_one(files: Files, host: LocalHost, source: Source) -> None:
    bring(files, source, 2)
    source.write(a="content 1")
    source.publish("1")
    assert files.update(20).result is Result.HELD
    assert files.update(20, HELD).result is Result.UPDATED
    assert installed(host)["patterns/a.dat"] == "content 1"
    halted = Holds((Hold("1", restores=False),))
    assert files.held(halted.that_restore()) is None


@pytest.mark.parametrize(
    ("restore", "kept"),
    [
        ({"keep_versions": 0}, ["5"]),
        ({"keep_versions": 1}, ["4", "5"]),
        ({}, ["3", "4", "5"]),
        ({"keep_versions": 9, "keep_space": "20"}, ["3", "4", "5"]),
        ({"keep_versions": 9, "keep_space": "0"}, ["4", "5"]),
    ],
)
def test_no_more_releases_are_kept_than_number_and_space_allow(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    source: Source,
    restore: dict[str, object],
    kept: list[str],
) -> None:
    product = select_product(document("files", urls=[source.server.url], restore=restore), host)
    assert isinstance(product, Files)
    bring(product, source, 1, 2, 3, 4, 5)
    assert releases(host) == kept
    assert current(host, "patterns/a.dat").read_text() == "content 5"
