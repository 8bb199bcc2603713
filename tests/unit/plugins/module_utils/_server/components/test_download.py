# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a vendor's answer to a download means for a fetch."""

from __future__ import annotations

import re

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.download import (
    DownloadFault,
    fetch_file,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)


def outcome(host: LocalHost, url: str, timeout: float = 10) -> Outcome:
    host.mkdir("/work")
    with pytest.raises(DownloadFault) as told:
        fetch_file(host, url, "/work/x", timeout=timeout)
    assert not host.exists("/work/x")
    return told.value.outcome


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, 4 * 3600),
        ("soon", 4 * 3600),
        ("600", 600),
        ("0", 0),
        ("999999999", 24 * 3600),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 24 * 3600),
    ],
)
def test_a_refusal_is_a_cool_down_and_costs_one_request(
    host: LocalHost, server: ScriptedServer, status: int, retry_after: str | None, seconds: int
) -> None:
    server.always(Answer(status, b"", {} if retry_after is None else {"Retry-After": retry_after}))
    told = outcome(host, f"{server.url}/x.zip")
    assert (told.result, told.why) == (Result.COOLING_DOWN, f"{server.url}/x.zip answered {status}")
    assert 0 <= host.now() - ((told.until or 0) - seconds) < 30
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 404, 407, 410, 500])
def test_any_other_status_is_a_failure(host: LocalHost, server: ScriptedServer, status: int) -> None:
    server.always(Answer(status))
    told = outcome(host, f"{server.url}/x.zip")
    assert (told.result, told.until, told.reached) == (Result.FAILED, None, True)
    assert str(status) in told.why


@pytest.mark.parametrize("elsewhere", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_http_is_a_failure(host: LocalHost, server: ScriptedServer, elsewhere: str) -> None:
    server.always(Answer(302, b"", {"Location": elsewhere}))
    assert outcome(host, f"{server.url}/x.zip").result is Result.FAILED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(200, b"x" * 50, body_cut=10), "the download failed: .*ended after 10 of 50 bytes"),
        (Answer(200, b"x" * 50, body_cut=10, drips=True), "the download failed: the time of this run is used up"),
        (Answer(200, b"x" * 50, body_cut=10, stalls=True), "the download failed: .*broke off"),
    ],
)
def test_what_breaks_off_is_out_of_reach_and_was_asked_for(
    host: LocalHost, server: ScriptedServer, answer: Answer, why: str
) -> None:
    server.always(answer)
    told = outcome(host, f"{server.url}/x.zip", timeout=1)
    assert (told.result, told.reached) == (Result.UNREACHABLE, True)
    assert re.match(why, told.why)


def test_the_environment_names_the_proxy(
    host: LocalHost, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("https_proxy", server.url)
    server.always(Answer(200, b"from the proxy"))
    host.mkdir("/work")
    assert fetch_file(host, "http://vendor.example/x.zip", "/work/x", timeout=10)
    assert host.read("/work/x") == b"from the proxy"
    assert server.requests[0].headers["User-Agent"] == "epp-update-server"
    host.remove("/work/x")
    server.as_proxy = 407
    server.always(Answer(407))
    for scheme in ("http", "https"):
        told = outcome(host, f"{scheme}://vendor.example/x.zip")
        assert told == Outcome(Result.FAILED, "a proxy on the way to the source wants a user and a password (407)")


def test_a_failure_of_this_host_is_not_the_vendors(host: LocalHost, server: ScriptedServer) -> None:
    server.always(Answer(200, b"content"))
    with pytest.raises(FileNotFoundError):
        fetch_file(host, f"{server.url}/x.zip", "/missing/x", timeout=10)
