# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An update server whose endpoints are sandboxes, and its engine in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Callable

from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import CatalogItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.start import start_campaign
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Published
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.settings import notify_settings

from .conftest import SandboxEndpoint

COLLECTIONS = str(Path(paths.__file__).parents[6])
"""Where a process of its own finds what is tested; under ansible-test its parent does so by a hook."""
_ENGINE = """
import sys
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notify import notify
print("ready", flush=True)
report = notify(LocalHost(sys.argv[1]), until_settled=True)
print("settled" if report is not None and not report.open else f"left {report}", flush=True)
"""


class Server:
    """The server's sandbox with a fleet of sandbox endpoints."""

    def __init__(self, host: LocalHost, make: Callable[[str], SandboxEndpoint]) -> None:
        self.host = host
        self._make = make
        self.fleet: dict[str, SandboxEndpoint] = {}
        self.campaigns: list[str] = []
        self.set(notifier="local")

    def set(self, **settings: Any) -> None:
        self.host.write(paths.SETTINGS, json.dumps({"notify": settings}).encode())

    def enroll(self, *names: str, address: str = "", host_key: str = "", **policy: Any) -> None:
        with closing(open_database(self.host)) as connection:
            for name in names:
                endpoint = self.fleet[name] = self._make(name)
                endpoint.enroll(**policy)
                row = (name, len(self.fleet), json.dumps(policy), address or str(endpoint.root), host_key)
                columns = "name, ordinal, policy, address, host_key, domain"
                connection.execute(f"INSERT INTO endpoints ({columns}) VALUES (?, ?, ?, ?, ?, '')", row)
            connection.commit()

    def publish(self, version: str) -> str | None:
        """A new version upstream, and its campaign."""
        for endpoint in self.fleet.values():
            endpoint.upstream.write_text(version)
        item = CatalogItem("command", "command", version, Kind.PROGRAM, 1, "0" * 64, "components/command/x")
        with closing(open_database(self.host)) as connection:
            limits = notify_settings(self.host).limits
            name = start_campaign(
                connection, "command", Published(version, (item,)), now=self.host.now(), limits=limits
            )
        if name:
            self.campaigns.append(name)
        return name

    def told(self, name: str) -> dict[str, tuple[str, str]]:
        with closing(open_database(self.host)) as connection:
            return {one["endpoint"]: (one["status"], one["result"]) for one in deliveries(connection, name)}

    def open(self) -> int:
        with closing(open_database(self.host)) as connection:
            return CampaignStore(connection).count_open()


def started(server: Server) -> subprocess.Popen[str]:
    """An engine in a process of its own, which has come to its work."""
    argv = [sys.executable, "-c", _ENGINE, server.host.root]
    env = {**os.environ, "PYTHONPATH": COLLECTIONS}
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def await_taken(server: Server, name: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(name in endpoint.taken() for endpoint in server.fleet.values()):
            return
        time.sleep(0.02)
    raise AssertionError("no endpoint took the notice")


def notices_taken(server: Server) -> int:
    return sum(len(endpoint.taken()) for endpoint in server.fleet.values())


def await_notices(server: Server, number: int, *, while_running: subprocess.Popen[str]) -> None:
    """Wait until so many notices were taken in all, or the engine has no more to send."""
    while while_running.poll() is None and notices_taken(server) < number:
        time.sleep(0.02)
