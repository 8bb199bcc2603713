# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image's programs are started by the image's own Python."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._host.live_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._module.interpreters import SYSTEM_PYTHON, interpreter_of


def test_an_image_has_its_own_python_and_a_sandbox_has_ours(tmp_path: Path) -> None:
    host = LocalHost(str(tmp_path))
    assert interpreter_of(host) == sys.executable
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / SYSTEM_PYTHON[1:]).symlink_to("python3.9")  # as Debian has it; here it leads nowhere
    assert interpreter_of(host) == SYSTEM_PYTHON


def test_a_live_host_has_the_python_that_runs_this() -> None:
    assert interpreter_of(LocalHost("")) == sys.executable
