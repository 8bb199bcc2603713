# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real freshclam behind a proxy: it is used, and what it refuses is told as its refusal (R1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.source_client import PROXY_REFUSES
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    clamav,
    needs_databases,
    needs_freshclam,
    publish,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

pytestmark = [needs_freshclam, needs_databases]
TIMEOUT = 60.0


def test_a_source_below_a_path_and_through_a_proxy(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    folder = Path(server.folder) / "some" / "path"
    folder.mkdir(parents=True)
    (Path(server.folder) / "test.cvd").rename(folder / "test.cvd")
    product = clamav(host, "http://mirror.example/some/path/", proxy=server.url)
    assert product.update(TIMEOUT).result is Result.UPDATED
    # freshclam tunnels to plain http too: the proxy must allow CONNECT to that port.
    assert {request.path for request in server.requests} == {"mirror.example:80", "/some/path/test.cvd"}
    assert product.reachable(5)


@pytest.mark.parametrize(
    ("status", "result", "why"),
    [
        (407, Result.FAILED, PROXY_REFUSES),
        pytest.param(
            403,
            Result.FAILED,
            "http://mirror.example/test.cvd: the proxy does not let the request pass (403)",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            502,
            Result.UNREACHABLE,
            "http://mirror.example/test.cvd: the proxy does not reach it (502)",
            marks=pytest.mark.heavy,
        ),
    ],
)
def test_what_a_proxy_refuses_is_told_as_such(
    host: LocalHost, server: ScriptedServer, status: int, result: Result, why: str
) -> None:
    server.as_proxy = status
    outcome = clamav(host, "http://mirror.example", proxy=server.url).update(TIMEOUT)
    assert (outcome.result, outcome.why) == (result, why)
