# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd is asked about units, and how its answer is read."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.state import unit_states
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost


def test_instances_of_a_template_are_found_by_their_own_names(tmp_path: Path) -> None:
    instance = "Id=fresh@a\\x2db.service\nLoadState=loaded\nActiveState=active\nNeedDaemonReload=no\n"
    host = RunningHost(str(tmp_path), {"show": Completed(0, instance, "")})
    states = unit_states(host, (), in_memory=("fresh@.service",))
    assert host.commands[0][-1] == "fresh@*[.]service"
    assert states["fresh@a\\x2db.service"].active


def test_a_backslash_in_a_name_stands_for_itself(tmp_path: Path) -> None:
    """systemd matches with FNM_NOESCAPE."""
    host = RunningHost(str(tmp_path), {"show": Completed(0, "", "")})
    unit_states(host, (), in_memory=("fresh@a\\x2db.service",))
    assert host.commands[0][-1] == "fresh@a\\x2db[.]service"
