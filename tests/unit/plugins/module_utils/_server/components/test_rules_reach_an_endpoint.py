# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a directory of rules, or a repository of them, over a web server to an endpoint with the default policy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.components import read_components
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components import select_source
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Workplace
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    installed,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

PUBLIC = "/public/components/files"


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    """The update server's host."""
    host = LocalHost(str(tmp_path / "server"))
    host.mkdir(PUBLIC)
    return host


@pytest.fixture
def web(host: LocalHost) -> Iterator[ScriptedServer]:
    served = ScriptedServer(host.real(PUBLIC))
    yield served
    served.stop()


def commit(folder: Path) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
    for arguments in (("init", "--initial-branch=main"), ("add", "--all"), ("commit", "-m", "rules")):
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("place", ["directory", "git"])
def test_rules_are_published_installed_and_updated(
    host: LocalHost, web: ScriptedServer, tmp_path: Path, place: str
) -> None:
    if place == "git" and not shutil.which("git"):
        pytest.skip("git is not installed")
    rules = Path(host.real("/srv/rules"))
    rules.mkdir(parents=True)
    where = str(rules) if place == "git" else "/srv/rules"
    components = read_components({"files": {place: where}})
    kind, settings = next(iter(components.items()))
    source = select_source(kind, settings, host, Workplace("/work", PUBLIC, "components/files"))
    raw = {"format": 1, "endpoint": "n1", "product": "files", "policy": {"sources": {"urls": [web.url]}}}
    endpoint = LocalHost(str(tmp_path / "endpoint"))
    product = select_product(EndpointDocument.from_dict(raw), endpoint)

    def offer(**contents: str) -> None:
        for path in rules.glob("*.yar"):
            path.unlink()
        for name, content in contents.items():
            (rules / f"{name}.yar").write_text(content)
        if place == "git":
            commit(rules)
        assert source.fetch() == Outcome(Result.UPDATED)

    def version() -> str:
        (component,) = product.components()
        assert component.name == "rules"
        return component.version

    offer(one="rule one {}", two="rule two {}")
    assert product.update(20) == Outcome(Result.UPDATED)
    assert installed(endpoint) == {"one.yar": "rule one {}", "two.yar": "rule two {}"}
    first = version()
    offer(one="rule one { condition: true }", three="rule three {}")
    assert product.update(20) == Outcome(Result.UPDATED)
    assert installed(endpoint) == {"one.yar": "rule one { condition: true }", "three.yar": "rule three {}"}
    assert [word.partition(".")[0] for word in (first, version())] == ["1", "2"]
