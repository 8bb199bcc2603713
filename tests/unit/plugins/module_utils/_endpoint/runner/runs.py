# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of runs on a sandbox endpoint share."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import save_and_publish

from ..conftest import Sandbox

NOON = 1795348800.0  # 2026-11-22T12:00:00Z, when the sandbox's clock starts and its daily window (ordinal 0: its slot)


def policy(**sections: Any) -> dict[str, Any]:
    return {"policy": sections}


def versions(sandbox: Sandbox) -> str:
    return sandbox.installed.read_text()


def remember(sandbox: Sandbox, **values: Any) -> None:
    save_and_publish(sandbox.endpoint, lambda state: replace(state, **values))


def boot(sandbox: Sandbox, name: str) -> None:
    sandbox.host.write("/proc/sys/kernel/random/boot_id", name.encode())


def start(agent: Path, sandbox: Sandbox, *arguments: str) -> subprocess.Popen[str]:
    command = [agent, "--root", sandbox.root, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
