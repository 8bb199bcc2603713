# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers on loopback, real folders as hosts, and the products on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import Source
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)


class ShiftedHost(LocalHost):
    """A sandbox host whose clock can be put forward, and stopped."""

    ahead = 0.0
    stopped_at: float | None = None

    def now(self) -> float:
        return (super().now() if self.stopped_at is None else self.stopped_at) + self.ahead


@pytest.fixture
def host(tmp_path: Path) -> ShiftedHost:
    (tmp_path / "root").mkdir()
    return ShiftedHost(str(tmp_path / "root"))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[], ScriptedServer]]:
    """Starts one more server with a folder of its own."""
    servers: list[ScriptedServer] = []

    def start() -> ScriptedServer:
        folder = tmp_path / f"www{len(servers)}"
        folder.mkdir()
        servers.append(ScriptedServer(str(folder)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(serve: Callable[[], ScriptedServer]) -> ScriptedServer:
    return serve()


@pytest.fixture
def dead_url(serve: Callable[[], ScriptedServer]) -> str:
    """An address at which nobody listens any more."""
    server = serve()
    server.stop()
    return server.url


@pytest.fixture
def document() -> Callable[..., EndpointDocument]:
    """A validated document: ``document("files", urls=[...], scope="all", files={...})``."""

    def make(product: str, *, urls: list[str], scope: str = "patterns", **rest: Any) -> EndpointDocument:
        policy: dict[str, Any] = {"sources": {"urls": urls}, "components": {"scope": scope}}
        policy["privileges"] = rest.pop("privileges", {})
        return EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "product": product, "policy": policy, **rest})

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[Path, str], None]]:
    """Mounts a tmpfs with these options on a folder; skips where that is not allowed."""
    import subprocess

    mounted: list[Path] = []

    def mount(folder: Path, options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if folder in mounted:
            command = ["mount", "-o", f"remount,{options}", str(folder)]
        if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("small disk: this user may not mount a tmpfs")
        mounted.append(folder)

    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def source(tmp_path: Path, server: ScriptedServer) -> Source:
    source = Source(tmp_path / "source", server)
    source.write(a="one", b="bee", engines__e="engine", programs__p="program")
    source.publish("1")
    return source


@pytest.fixture
def files(host: LocalHost, document: Callable[..., EndpointDocument], source: Source) -> Files:
    product = select_product(document("files", urls=[source.server.url]), host)
    assert isinstance(product, Files)
    return product
