# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which scheduler a host gets."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler import select_scheduler
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost, Sandbox

from .samples import OWNED


def test_a_running_host_is_judged_by_its_init_and_not_by_what_is_installed(tmp_path):
    host = RunningHost(str(tmp_path))
    host.write("/usr/lib/systemd/systemd", b"")
    assert select_scheduler("auto", host, OWNED).name == "cron"
    host.mkdir("/run/systemd/system")
    assert select_scheduler("auto", host, OWNED).name == "systemd"


@pytest.mark.parametrize("program", ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"])
def test_a_directory_is_judged_by_what_would_boot_there(tmp_path, program):
    host = Sandbox(str(tmp_path))
    assert select_scheduler("auto", host, OWNED).name == "cron"
    host.write(program, b"")
    assert select_scheduler("auto", host, OWNED).name == "systemd"


@pytest.mark.parametrize("kind", ["systemd", "cron"])
def test_a_scheduler_can_be_asked_for(tmp_path, kind):
    assert select_scheduler(kind, Sandbox(str(tmp_path)), OWNED).name == kind


def test_an_unknown_scheduler_is_refused(tmp_path):
    with pytest.raises(ValueError, match="auto, systemd, cron"):
        select_scheduler("launchd", Sandbox(str(tmp_path)), OWNED)
