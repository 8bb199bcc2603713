# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An endpoint that refuses what its server publishes: a converge says so, and asks whether it still holds (C2, C4)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths

from .conftest import Managed


def files(managed: Managed) -> dict[str, bytes]:
    root = managed.sandbox.root
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def refusing(managed: Managed) -> Managed:
    """Its server came back from a backup of before C4: lower serials than were adopted."""
    managed.publisher.publish()
    assert managed.sync().result.value == "adopted"
    managed.publisher.tree(serial=1)
    assert managed.sync().result.value == "rollback"
    managed.asked()
    return managed


def told(converged: Any) -> dict[str, Any]:
    result: dict[str, Any] = converged.to_result()
    return result


def test_a_converge_tells_the_refusal_and_changes_nothing(refusing: Managed) -> None:
    for check in (True, False):
        before = files(refusing)
        result = told(refusing.converge(check=check))
        assert (result["changed"], result["refusal"]["result"]) == (False, "rollback")
        assert "its serial is 1, lower than 2" in result["refusal"]["reason"]
        assert files(refusing) == before
    assert refusing.status()["serial"] == 2


def test_once_the_server_is_mended_the_next_converge_adopts_and_check_foretells_it(refusing: Managed) -> None:
    refusing.publisher.root = {"schedule": {"start": "04:00"}}
    refusing.publisher.tree(serial=1_800_000_000)
    before = files(refusing)
    foretold = told(refusing.converge(check=True))
    assert files(refusing) == before
    done = told(refusing.converge())
    assert foretold == done
    assert (done["changed"], done["refusal"]) == (True, None)
    assert "the configuration is adopted: tree 1800000000" in done["drift"][0]
    status = refusing.status()
    assert (status["configuration"]["result"], status["policy"]["schedule"]["start"]) == ("adopted", "04:00")
    assert told(refusing.converge())["changed"] is False


def test_a_server_that_publishes_again_what_is_in_force_ends_the_refusal(refusing: Managed) -> None:
    refusing.publisher.tree(serial=2)
    foretold, done = told(refusing.converge(check=True)), told(refusing.converge())
    assert foretold == done
    assert (done["changed"], done["refusal"]) == (True, None)
    assert refusing.status()["configuration"]["result"] == "unchanged"
    assert told(refusing.converge())["changed"] is False


def test_who_refuses_nothing_asks_for_nothing(managed: Managed) -> None:
    assert told(managed.converge())["refusal"] is None
    assert managed.asked() == []
    assert managed.sandbox.host.exists(paths.DOCUMENT)
