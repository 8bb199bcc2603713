# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed endpoint in a sandbox, and its update server: real keys, a real web server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import compose
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.sync.sync import SyncReport, synchronize
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.conftest import Sandbox
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import Publisher
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)


class Managed:
    """An endpoint, its server and what the server publishes."""

    def __init__(self, sandbox: Sandbox, server: ScriptedServer, publisher: Publisher) -> None:
        self.sandbox = sandbox
        self.server = server
        self.publisher = publisher
        self.section = publisher.server(server.url)

    def document(self, **changes: Any) -> dict[str, Any]:
        """The document that a converge brings."""
        raw = self.sandbox.document(server=self.section, **changes)
        del raw["ordinal"]
        return raw

    def converge(self, *, check: bool = False, **changes: Any) -> Any:
        from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
        from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge

        document = EndpointDocument.from_dict(self.document(**changes))
        return converge(document, self.sandbox.host, agent=b"the agent", check=check)

    def sync(self) -> SyncReport:
        return synchronize(self.sandbox.endpoint)

    def status(self) -> dict[str, Any]:
        endpoint = self.sandbox.endpoint
        return compose(endpoint, endpoint.store.read())

    def asked(self) -> list[tuple[str, int]]:
        """What was asked since the last time: ``tree``, ``shard`` or a path, and the status of the answer."""
        names = {"tree.json": "tree"}
        seen = [(names.get(Path(path).name, path), status) for path, status in self.server.seen()]
        self.server.forget()
        return [("shard" if "/shards/" in path else path, status) for path, status in seen]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    (tmp_path / "www").mkdir()
    running = ScriptedServer(str(tmp_path / "www"))
    yield running
    running.stop()


@pytest.fixture
def managed(sandbox: Sandbox, server: ScriptedServer, tmp_path: Path) -> Managed:
    """An endpoint that has adopted the first configuration."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen is not installed")
    publisher = Publisher(Path(server.folder), tmp_path / "keys", sandbox.host.now())
    publisher.root = {"schedule": {"start": "02:00"}}
    publisher.publish()
    made = Managed(sandbox, server, publisher)
    made.converge()
    made.asked()
    return made
