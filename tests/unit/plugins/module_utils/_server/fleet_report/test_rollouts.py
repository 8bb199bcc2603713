# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Staged rollouts in the report on the fleet: every ring, what is stopped, and what to type first (G2, G4, G5, R7)."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import unix
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.document import fleet_report
from ansible_collections.epp.autoupdate.plugins.module_utils._server.rollout.status import rollouts

from ..rollout.conftest import NAMES, RINGS, Server
from .staged_fleet import REASON
from .test_document import column


def rings(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (one,) = document["rollouts"]
    return {ring["name"]: ring for ring in one["rings"]}


def words(path: Path) -> str:
    """The text of the page, without what the table is made of."""
    text = path.read_text(encoding="ascii")
    return " ".join(re.sub(r"<[^>]+>", " ", text[: text.index("<script")]).split())


def test_the_report_has_the_document_of_the_command(halted: Server, staged_document: dict[str, Any]) -> None:
    with closing(open_database(halted.host)) as connection:
        assert staged_document["rollouts"] == rollouts(halted.host, connection)


def test_every_ring_tells_where_it_stands(staged_document: dict[str, Any]) -> None:
    found = rings(staged_document)
    assert {name: (one["phase"], one["offered"], one["candidate"]) for name, one in found.items()} == {
        "canary": ("halted", "3", "4"),
        "early": ("baking", "3", "3"),
        "broad": ("idle", "1", ""),
    }
    counts = {"eligible": 3, "healthy": 3, "failed": 0, "pending": 0, "not_counted": 1}
    assert (found["early"]["counts"], found["early"]["endpoints"]) == (counts, 4)
    assert (found["canary"]["counts"]["failed"], found["canary"]["bake_ends"], found["broad"]["counts"]) == (
        1,
        None,
        None,
    )
    bakes = unix(found["early"]["bake_ends"]) - unix(staged_document["at"])
    assert 0 < bakes < 7200


def test_each_count_is_that_of_its_column(staged_document: dict[str, Any]) -> None:
    members, outcomes = column(staged_document, "ring:files"), column(staged_document, "rollout:files")
    for name, ring in rings(staged_document).items():
        assert members.count(name) == ring["endpoints"]
        for key, count in (ring["counts"] or {}).items():
            if key != "eligible":
                assert outcomes.count(f"in {name}: {key.replace('_', ' ')}") == count
    assert outcomes.count(("its ring tries no version",)) == len(NAMES["broad"])


def test_the_first_thing_to_do_is_what_waits_for_somebodys_word(staged_page: Path) -> None:
    first = words(staged_page).partition("What to do today")[2][:700]
    assert first.strip().startswith("files 4 halted in canary by the server itself since")
    assert "1 of 2 failed: probe: sample 1 is not found" in first
    for action in ("abort", "resume"):
        assert f"epp-server rollout {action} 4 --product files --reason" in first
    assert "Alarm: files: the rollout of 4" not in first, "it is told once"


def test_the_section_tells_holds_with_who_and_why_and_the_last_decisions(staged_page: Path) -> None:
    text = words(staged_page).partition("Rollouts files Newest version 4")[2]
    held = text.partition("files 2 held")[2][:400]
    assert " by operator since " in held
    assert "endpoints go back to 1" in held
    assert "epp-server rollout release 2 --product files" in held
    decisions = text.partition("The last 11 decisions, the newest first")[2]
    assert re.search(r"UTC 4 halted in canary: 1 of 2 failed", decisions)
    assert re.search(r"UTC 2 held by operator: it flags", decisions)
    assert "Bake time: 1h30m left, ends" in text
    assert "Bake time: none, it tries no version." in text


def test_a_reason_that_somebody_gave_is_text_alone(staged_page: Path) -> None:
    text = staged_page.read_text(encoding="ascii")
    assert "onerror=alert(2)" in text
    assert "<img" not in text
    assert REASON not in text


def test_nothing_is_shown_where_no_product_has_rings(document: dict[str, Any], written: Path) -> None:
    assert document["rollouts"] == []
    assert not [one["name"] for one in document["hosts"]["columns"] if one["name"].startswith(("ring:", "rollout:"))]
    assert 'id="rollouts"' not in written.read_text(encoding="ascii")
    assert "#rollouts" not in written.read_text(encoding="ascii")


def test_a_failure_of_who_has_left_the_ring_still_leads_to_it(halted: Server, tmp_path: Path) -> None:
    server = halted.copy(tmp_path / "moved")
    server.set({**RINGS, "rings": [{"name": "canary", "endpoints": ["c2"]}, *RINGS["rings"][1:]]})
    with closing(open_database(server.host)) as connection:
        moved = fleet_report(server.host, connection)
    place = column(moved, "name").index("c1")
    assert column(moved, "ring:files")[place] == "broad"
    assert column(moved, "rollout:files")[place] == "in canary: failed"
    assert (rings(moved)["canary"]["endpoints"], rings(moved)["canary"]["counts"]["failed"]) == (1, 1)


def test_a_version_that_waits_for_the_hours_of_promotion_says_until_when(halted: Server, tmp_path: Path) -> None:
    server = halted.copy(tmp_path / "hours")
    server.set({**RINGS, "promotion": {"hours": ["03:00-04:00"]}})
    assert server.run("rollout", "abort", "4", "--reason", "bad") == 0
    server.host.clock += 2 * 3600
    assert server.run("promote") == 0
    with closing(open_database(server.host)) as connection:
        (one,) = rollouts(server.host, connection)
    found = {ring["name"]: (ring["next"], ring["next_at"]) for ring in one["rings"]}
    assert found["broad"][0] == "3"
    assert found["broad"][1].endswith("T03:00:00Z")
