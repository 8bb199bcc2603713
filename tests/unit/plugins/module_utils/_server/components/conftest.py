# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host, sources of components on it, a server and a folder that they are taken from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.components import read_components
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components import select_source
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Source, Workplace
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    (tmp_path / "root").mkdir()
    return LocalHost(str(tmp_path / "root"))


@pytest.fixture
def source(host: LocalHost) -> Callable[..., Source]:
    def make(**settings: Any) -> Source:
        product, read = next(iter(read_components(settings).items()))
        return select_source(product, read, host, Workplace("/work", "/public/components/x", "components/x"))

    return make


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    (tmp_path / "www").mkdir()
    served = ScriptedServer(str(tmp_path / "www"))
    yield served
    served.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one pattern file; inside the host's root, where settings name it as /upstream."""
    made = tmp_path / "root/upstream"
    (made / "patterns").mkdir(parents=True)
    (made / "patterns/a.dat").write_text("one")
    return made
