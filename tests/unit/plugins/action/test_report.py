# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook ``report``: one file for each update server, on the control node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Fleet


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_report_writes_a_file_for_its_owner_and_none_in_check_mode(fleet: Fleet, tmp_path: Path) -> None:
    place = tmp_path / "made" / "reports"
    argument = ["-e", json.dumps({"autoupdate_report_directory": str(place)})]
    foretold = fleet.play("report", "--check", *argument)
    assert (foretold.code, place.exists()) == (0, False), foretold.output
    run = fleet.play("report", *argument)
    assert run.code == 0, run.output
    assert f"2 endpoints, 0 current, 0 alarms: {place}/updates.html" in run.text
    (file,) = place.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("updates.html", 0o600)
    text = file.read_text(encoding="ascii")
    assert text.startswith("<!DOCTYPE html>\n")
    assert text.endswith("</html>\n")
    assert '"n2"' in text
    assert {line["host"] for line in run.results} == {"updates"}, "no endpoint is contacted"


def test_a_server_that_has_no_program_is_told_what_to_do(fleet: Fleet, tmp_path: Path) -> None:
    run = fleet.play("report", "-e", f"autoupdate_report_directory={tmp_path}/reports")
    assert "apply the role epp.autoupdate.server to it first" in run.of("updates")["msg"]
    assert not (tmp_path / "reports").exists()
