# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd is asked about units, and how its answer is read."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.state import (
    UnitState,
    reload_changed,
    start,
    try_start,
    unit_states,
)
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


class HoldingHost(RunningHost):
    """One whose systemd tells by itself which units it holds in memory."""

    held: tuple[str, ...] = ("nginx.service", "backup@daily.service", "timers.target")

    def units_in_memory(self, patterns: Sequence[str]) -> Any:
        names = [name for name in self.held if any(fnmatchcase(name, one) for one in patterns)]
        return [(name, (), "loaded", "active", False) for name in names]


UNITS = "/etc/systemd/system"
RELOAD = ("systemctl", "--no-ask-password", "daemon-reload")


@pytest.mark.parametrize(
    ("path", "reloads"),
    [
        (f"{UNITS}/backup.timer", False),
        (f"{UNITS}/timers.target.wants/backup.timer", False),  # counts at the next boot, which reads everything
        (f"{UNITS}/backup.service.d/memory.conf", False),
        ("/etc/backup.conf", False),
        (f"{UNITS}/nginx.service", True),
        (f"{UNITS}/nginx.service.d/memory.conf", True),
        (f"{UNITS}/nginx.service.d", True),
        ("/run/systemd/system/nginx.service", True),
        (f"{UNITS}/multi-user.target.wants/nginx.service", True),
        (f"{UNITS}/backup@.service", True),
    ],
)
def test_units_are_read_again_where_systemd_holds_one_that_changed(tmp_path: Path, path: str, reloads: bool) -> None:
    host = HoldingHost(str(tmp_path))
    reload_changed(host, (path, f"{UNITS}/new.service"), {})
    assert host.commands == ([RELOAD] if reloads else [])


def test_what_systemd_calls_stale_is_read_again_and_so_is_everything_where_it_does_not_answer(tmp_path: Path) -> None:
    stale = UnitState("nginx.service", loaded=True, active=True, enabled=True, stale=True)
    host = HoldingHost(str(tmp_path))
    reload_changed(host, (), {"nginx.service": stale})
    silent = RunningHost(str(tmp_path))
    reload_changed(silent, (f"{UNITS}/backup.timer",), {})
    assert (host.commands, silent.commands) == ([RELOAD], [RELOAD])


def test_a_new_unit_that_systemd_misses_is_found_by_a_reload(tmp_path: Path) -> None:
    missed = Completed(5, "", "Unit backup.timer not found.")
    host = RunningHost(str(tmp_path), {"restart": missed})
    assert try_start(host, "restart", "--", "backup.timer", timeout=5) == missed
    restart = ("systemctl", "--no-ask-password", "restart", "--", "backup.timer")
    assert host.commands == [restart, RELOAD, restart]
    with pytest.raises(OSError, match=r"systemctl restart -- backup[.]timer: Unit backup[.]timer not found"):
        start(host, "restart", "--", "backup.timer")
