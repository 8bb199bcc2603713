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


HOUR = 3600


def test_who_has_not_heard_of_its_server_for_a_day_asks_and_adopts_what_is_new(managed: Managed) -> None:
    """Nobody asks for it any more: a converge does, and check mode foretells what it adopts."""
    managed.publisher.root = {"schedule": {"start": "04:00"}}
    managed.publisher.publish()
    managed.sandbox.host.clock += 25 * HOUR
    assert told(managed.converge())["changed"] is False
    assert managed.asked() == []
    managed.sandbox.host.clock += 2 * HOUR
    foretold, done = told(managed.converge(check=True)), told(managed.converge())
    assert foretold == done
    assert done["adoption"] == done["drift"][:1]
    assert "the configuration is adopted: tree " in done["adoption"][0]
    assert managed.status()["policy"]["schedule"]["start"] == "04:00"
    quiet = managed.converge()
    assert (quiet.changed, quiet.until) == (False, managed.sandbox.host.now() + 26 * HOUR)


def test_who_has_not_heard_of_its_server_for_a_day_and_is_current_all_the_same_says_so(managed: Managed) -> None:
    managed.sandbox.host.clock += 27 * HOUR
    foretold, done = told(managed.converge(check=True)), told(managed.converge())
    assert foretold == done
    (words,) = done["adoption"]
    assert words.startswith("the configuration is confirmed: the update server, which had not answered for a day, ")
    assert told(managed.converge())["changed"] is False


def test_who_cannot_reach_its_server_for_a_day_says_so_and_keeps_what_it_has(managed: Managed) -> None:
    managed.server.stop()
    managed.sandbox.host.clock += 27 * HOUR
    for check in (True, False):
        result = told(managed.converge(check=check))
        assert (result["changed"], result["refusal"]["result"]) == (False, "unreachable")
    assert managed.status()["serial"] == 1


def test_an_answer_from_the_future_counts_for_nothing(managed: Managed) -> None:
    """A clock was years ahead when the server answered last (S4)."""
    managed.sandbox.host.clock -= 27 * HOUR
    assert told(managed.converge())["adoption"] != []
    assert told(managed.converge())["changed"] is False
