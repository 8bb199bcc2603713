# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox endpoint: a directory that stands for a host, with a product whose version lies in a plain file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.runner import Runner
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.start_gate import StartGate
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

AGENT = payload.build(payload.sources(), interpreter=sys.executable)
"""Built at once: ansible-test runs each test in a process of its own, which would build it again."""


class TimedHost(LocalHost):
    """A sandbox host whose clock stands still until it is moved, as a host's interface allows."""

    def __init__(self, root: str, now: float) -> None:
        super().__init__(root)
        self.clock = now

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds


class Sandbox:
    """One sandbox endpoint and what a test does with it."""

    def __init__(self, directory: Path, now: float) -> None:
        self.directory = directory
        self.root = directory / "root"
        self.root.mkdir()
        self.upstream = directory / "upstream"
        self.installed = directory / "installed"
        self.upstream.write_text("1")
        self.installed.write_text("0")
        self.host = TimedHost(str(self.root), now)

    def document(self, **changes: Any) -> dict[str, Any]:
        """The raw document of this endpoint; ``policy`` and whatever else is given replaces the defaults."""
        base: dict[str, Any] = {
            "format": 1,
            "endpoint": "n1",
            "ordinal": 0,
            "product": "command",
            "scheduler": "systemd",
            "command": {
                "update": ["/bin/sh", "-c", f"cat {self.upstream} >{self.installed}"],
                "version": ["/bin/cat", str(self.installed)],
                "scan": ["/bin/sh", "-c", "echo '/planted: Test-Signature FOUND'; exit 1"],
            },
        }
        return {**base, **changes}

    def converge(self, *, check: bool = False, **changes: Any) -> Any:
        document = EndpointDocument.from_dict(self.document(**changes))
        return converge(document, self.host, agent=b"the agent", check=check)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint.load(self.host)

    def runner(self, endpoint: Endpoint | None = None, *, draw: float = 0.5) -> Runner:
        """A runner whose sleeping moves the clock and whose draws are all the same."""
        return Runner(endpoint or self.endpoint, StartGate(self.host.sleep, lambda: draw))

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Every file and link below the root, with mode and content: what "nothing was written" is held against."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            content = (
                str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            )
            found[str(path.relative_to(self.root))] = (path.lstat().st_mode, content)
        return found


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A sandbox at noon UTC of a Sunday."""
    return Sandbox(tmp_path, now=1795348800.0)  # 2026-11-22T12:00:00Z


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real agent, built for the Python that runs the tests."""
    path = tmp_path_factory.mktemp("agent") / "epp-agent"
    path.write_bytes(AGENT)
    path.chmod(0o755)
    return path
