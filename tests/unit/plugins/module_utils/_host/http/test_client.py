# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests: TLS, proxies, redirects, time, and what each profile makes of an answer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.client import (
    ClientProfile,
    HttpClient,
    Response,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    RateLimited,
    SourceError,
    UnexpectedStatus,
    Unreachable,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.conftest import Https
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

PROFILE = ClientProfile("epp-test", silence=30.0, longest_pause=300)


def client(seconds: float = 10, proxy: str | None = None, profile: ClientProfile = PROFILE) -> HttpClient:
    return HttpClient(time.monotonic() + seconds, time.time, profile, proxy)


def body(one: HttpClient, url: str) -> bytes:
    return b"".join(one.get(url).chunks)


def test_plain_http(server: ScriptedServer) -> None:
    Path(server.folder, "x").write_text("content")
    assert body(client(), f"{server.url}/x") == b"content"


def test_redirects_are_followed_to_http_only(server: ScriptedServer) -> None:
    Path(server.folder, "x").write_text("content")
    server.script = lambda path, headers: Answer(302, b"", {"Location": f"{server.url}/x"}) if path == "/y" else None
    assert body(client(), f"{server.url}/y") == b"content"
    for elsewhere in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        server.always(Answer(302, b"", {"Location": elsewhere}))
        with pytest.raises(SourceError, match="answered 302"):
            client().get(f"{server.url}/y")


def test_no_answer_no_name_and_no_time(dead_url: str, server: ScriptedServer) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        client().get(f"{dead_url}/x")
    with pytest.raises(Unreachable):
        client().get("http://nosuch.invalid/x")
    with pytest.raises(DeadlineExceeded):
        client(-1).get(f"{server.url}/x")
    assert server.requests == []


def test_what_is_no_http_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    import socket

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)

    def speak() -> None:
        connection, _address = listener.accept()
        connection.sendall(b"220 mail.example \x1b[2J" + 100 * b"!" + b"\r\n")
        connection.close()

    threading.Thread(target=speak, daemon=True).start()
    with pytest.raises(SourceError, match=r"not HTTP: 220 mail\.example \\x1b\[2J!+\u2026$"):
        client().get(f"http://127.0.0.1:{listener.getsockname()[1]}/x")
    listener.close()


def test_requests_go_through_the_proxy_of_policy_and_no_other(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, dead_url: str
) -> None:
    monkeypatch.setenv("http_proxy", dead_url)
    server.always(Answer(200, b"from the proxy"))
    assert body(client(proxy=server.url), "http://components.example/x") == b"from the proxy"
    assert server.seen() == [("http://components.example/x", 200)]
    assert body(client(), f"{server.url}/x") == b"from the proxy"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_told_as_such(server: ScriptedServer, scheme: str) -> None:
    server.always(Answer(407))
    server.as_proxy = 407
    with pytest.raises(SourceError, match="wants a user and a password") as told:
        client(proxy=server.url).get(f"{scheme}://components.example/x")
    assert not isinstance(told.value, Unreachable)


def test_tls_is_verified(https: Https) -> None:
    with pytest.raises(SourceError, match=r"TLS: self[- ]signed certificate") as caught:
        client().get(f"{https.url}/x")
    assert not isinstance(caught.value, Unreachable)


def test_tls_may_go_unverified_where_the_question_is_another(https: Https) -> None:
    blind = ClientProfile("epp-test", silence=30.0, verify_tls=False)
    assert client(profile=blind).get(f"{https.url}/x").status == 200


def test_no_redirect_leads_out_of_tls(https: Https, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(https.certificate))
    https.elsewhere = f"{server.url}/x"
    with pytest.raises(UnexpectedStatus, match="answered 302"):
        client().get(f"{https.url}/y")
    assert server.requests == []
    https.elsewhere = ""
    server.always(Answer(302, b"", {"Location": f"{https.url}/y"}))
    assert client().get(f"{server.url}/x").status == 200, "into TLS it may"


def test_a_profile_may_take_the_proxy_of_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.always(Answer(200, b"from the proxy"))
    profile = ClientProfile("epp-test", silence=30.0, environment_proxy=True)
    assert body(client(profile=profile), "http://components.example/x") == b"from the proxy"
    assert server.requests[0].headers["User-Agent"] == "epp-test"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert body(client(profile=profile), f"{server.url}/y") == b"from the proxy"
    assert server.seen() == [("http://components.example/x", 200), ("/y", 200)]


@pytest.mark.parametrize(
    ("status", "headers", "busy", "until"),
    [
        (429, {"Retry-After": "120"}, None, 120),
        (429, {}, None, 7200),
        (403, {"Retry-After": "soon"}, None, 7200),
        (503, {"Retry-After": "60"}, 60, 60),
        (503, {}, None, None),
    ],
)
def test_a_refusal_has_its_end(
    server: ScriptedServer, status: int, headers: dict[str, str], busy: int | None, until: int | None
) -> None:
    server.always(Answer(status, b"", headers))
    client = HttpClient(time.monotonic() + 10, lambda: 1000.0, ClientProfile("x", silence=30.0, cool_down=7200))
    with pytest.raises(UnexpectedStatus) as told:
        client.get(f"{server.url}/x")
    assert told.value.status == status
    limited = told.value if isinstance(told.value, RateLimited) else None
    assert (limited and limited.until) == (until and 1000 + until)
    assert (limited and limited.busy) == busy
    assert len(server.requests) == 1, "this profile does not wait"


def test_a_503_without_a_time_is_a_refusal_where_the_profile_says_so(server: ScriptedServer) -> None:
    server.always(Answer(503))
    with pytest.raises(RateLimited):
        client(profile=ClientProfile("x", silence=30.0, refusals=(503,))).get(f"{server.url}/x")


def test_what_certainly_reached_nobody_is_told(server: ScriptedServer, dead_url: str) -> None:
    """A redirect was an answer, though what it leads to gives none."""
    for url in (dead_url, "http://nosuch.invalid"):
        with pytest.raises(Unreachable) as told:
            client().get(f"{url}/x")
        assert not told.value.reached
    server.always(Answer(302, b"", {"Location": f"{dead_url}/x"}))
    with pytest.raises(Unreachable) as told:
        client().get(f"{server.url}/x")
    assert told.value.reached


@pytest.mark.parametrize("status", [202, 204, 400, 500])
def test_only_content_counts_as_content(server: ScriptedServer, status: int) -> None:
    server.always(Answer(status))
    with pytest.raises(UnexpectedStatus, match=f"answered {status}"):
        client().get(f"{server.url}/x")


def test_a_body_comes_whole_and_within_its_limit_or_not(server: ScriptedServer) -> None:
    server.always(Answer(200, b"content"))
    assert client().get(f"{server.url}/x").content(7) == b"content"
    with pytest.raises(BodyTooLarge):
        client().get(f"{server.url}/x").content(6)
    server.always(Answer(200, b"content", body_cut=3))
    with pytest.raises(SourceError, match="ended after 3 of 7 bytes"):
        client().get(f"{server.url}/x").content(7)


def test_a_body_that_does_not_say_its_length_has_a_limit_too() -> None:
    response = Response(200, {}, iter([b"abc", b"def"]))
    assert list(response.chunks_up_to(6)) == [b"abc", b"def"]
    with pytest.raises(BodyTooLarge):
        list(Response(200, {}, iter([b"abc", b"def"])).chunks_up_to(5))


@pytest.mark.parametrize("status", [200, 201, 204])
def test_content_is_put_by_one_request(server: ScriptedServer, status: int) -> None:
    server.always(Answer(status))
    client().put(f"{server.url}/place", b"content")
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("PUT", "/place", b"content")
    assert request.headers["User-Agent"] == "epp-test"


@pytest.mark.parametrize("status", [301, 307, 404, 413, 500])
def test_a_put_that_is_not_taken_is_told_and_goes_nowhere_else(server: ScriptedServer, status: int) -> None:
    server.always(Answer(status, headers={"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(UnexpectedStatus) as told:
        client().put(f"{server.url}/place", b"content")
    assert (told.value.status, len(server.requests)) == (status, 1)


def test_a_busy_server_is_not_asked_again_to_take_something(server: ScriptedServer) -> None:
    server.always(Answer(503, headers={"Retry-After": "1"}))
    with pytest.raises(RateLimited):
        client().put(f"{server.url}/place", b"content")
    assert len(server.requests) == 1


def test_the_client_costs_nothing_until_it_asks() -> None:
    """The agent starts hundreds of times a day and hardly ever asks: that is not the time to load an HTTP library."""
    library, costly = HttpClient.__module__, ("urllib.request", "http.client", "ssl", "socket")
    code = f"import sys, {library}; print([name for name in {costly} if name in sys.modules])"
    collections = Path(str(sys.modules[library].__file__)).parents[7]  # under ansible-test a hook finds them
    env = {**os.environ, "PYTHONPATH": str(collections)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "[]"
