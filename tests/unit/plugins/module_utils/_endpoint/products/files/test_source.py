# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing a folder for the product files, and the requests that fetch it: TLS, proxies, redirects, time."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import InvalidManifest, Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.client import (
    DeadlineExceeded,
    HttpClient,
    SourceError,
    Unreachable,
    retry_after,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.publisher import published
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    publish_set,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.scripted_server import (
    Answer,
    ScriptedServer,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {"patterns/a.dat": "one", "engines/x/e.so": "engine", "tool": "tool"}.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "folder"


def test_a_folder_becomes_a_manifest_and_objects(tmp_path: Path, folder: Path) -> None:
    target = tmp_path / "www"
    manifest = publish_set(folder, target, "1")
    assert {(file.path, file.component, file.kind) for file in manifest.files} == {
        ("patterns/a.dat", "patterns-a", Kind.PATTERN),
        ("engines/x/e.so", "engines-x", Kind.ENGINE),
        ("tool", "samples", Kind.PATTERN),
    }
    assert published(str(target)) == manifest
    assert json.loads((target / "manifest.json").read_text())["format"] == 1
    for file in manifest.files:
        assert (target / file.object_path).read_bytes() == (folder / file.path).read_bytes()


def test_what_did_not_change_keeps_its_version_and_its_object(tmp_path: Path, folder: Path) -> None:
    target = tmp_path / "www"
    first = publish_set(folder, target, "1")
    (folder / "patterns" / "a.dat").write_text("two")
    second = publish_set(folder, target, "2")
    assert {file.path: file.version for file in second.files} == {
        "patterns/a.dat": "2",
        "engines/x/e.so": "1",
        "tool": "1",
    }
    # Whoever holds an older manifest finds its contents for a day.
    old = next(file for file in first.files if file.path == "patterns/a.dat")
    assert (target / old.object_path).exists()
    (folder / "patterns" / "a.dat").write_text("three")
    publish_set(folder, target, "3")
    assert (target / old.object_path).exists()
    os.utime(target / old.object_path, (1e9, 1e9))
    publish_set(folder, target, "4")
    assert not (target / old.object_path).exists()


def test_nothing_published(tmp_path: Path) -> None:
    assert published(str(tmp_path)) is None


def test_a_name_that_no_endpoint_would_take(tmp_path: Path, folder: Path) -> None:
    (folder / "a\nb").write_text("x")
    with pytest.raises(InvalidManifest, match="path"):
        publish_set(folder, tmp_path / "www", "1")
    assert published(str(tmp_path / "www")) is None


def getter(seconds: float = 10, proxy: str | None = None) -> HttpClient:
    return HttpClient(time.monotonic() + seconds, time.time, proxy)


def body(one: HttpClient, url: str) -> bytes:
    return b"".join(one.get(url).chunks)


def test_plain_http(server: ScriptedServer) -> None:
    Path(server.folder, "x").write_text("content")
    assert body(getter(), f"{server.url}/x") == b"content"


def test_redirects_are_followed_to_http_only(server: ScriptedServer) -> None:
    Path(server.folder, "x").write_text("content")
    server.script = lambda path, headers: Answer(302, b"", {"Location": f"{server.url}/x"}) if path == "/y" else None
    assert body(getter(), f"{server.url}/y") == b"content"
    for elsewhere in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        server.always(Answer(302, b"", {"Location": elsewhere}))
        with pytest.raises(SourceError, match="answered 302"):
            getter().get(f"{server.url}/y")


def test_no_answer_no_name_and_no_time(dead_url: str, server: ScriptedServer) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        getter().get(f"{dead_url}/x")
    with pytest.raises(Unreachable):
        getter().get("http://nosuch.invalid/x")
    with pytest.raises(DeadlineExceeded):
        getter(-1).get(f"{server.url}/x")
    assert server.requests == []


def test_what_is_no_http_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    import socket

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)

    def speak() -> None:
        connection, _address = listener.accept()
        connection.sendall(b"220 mail.example ESMTP\r\n")
        connection.close()

    threading.Thread(target=speak, daemon=True).start()
    with pytest.raises(SourceError, match="not HTTP"):
        getter().get(f"http://127.0.0.1:{listener.getsockname()[1]}/x")
    listener.close()


def test_requests_go_through_the_proxy_of_policy_and_no_other(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, dead_url: str
) -> None:
    monkeypatch.setenv("http_proxy", dead_url)
    server.always(Answer(200, b"from the proxy"))
    assert body(getter(proxy=server.url), "http://components.example/x") == b"from the proxy"
    assert server.seen() == [("http://components.example/x", 200)]
    assert body(getter(), f"{server.url}/x") == b"from the proxy"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_told_as_such(server: ScriptedServer, scheme: str) -> None:
    server.always(Answer(407))
    server.as_proxy = 407
    with pytest.raises(SourceError, match="the proxy wants a user and a password") as told:
        getter(proxy=server.url).get(f"{scheme}://components.example/x")
    assert not isinstance(told.value, Unreachable)


@pytest.fixture
def https_port(tmp_path: Path) -> Iterator[int]:
    """A server whose certificate nobody has signed but itself."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *made]
    subprocess.run(command, check=True, capture_output=True)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd.server_address[1]
    httpd.shutdown()
    httpd.server_close()


def test_tls_is_verified(https_port: int) -> None:
    with pytest.raises(SourceError, match=r"TLS: self[- ]signed certificate") as caught:
        getter().get(f"https://127.0.0.1:{https_port}/x")
    assert not isinstance(caught.value, Unreachable)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("999999999", 86400),
        ("-5", None),
        ("soon", None),
        ("\u00b2", None),
        ("9" * 5000, None),
        ("Sun, 22 Nov 99999999999 12:00:30 GMT", None),
        ("Sun, 22 Nov 2026 12:00:30 +99999999999", None),
        ("", None),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    noon = 1795348800.0  # 2026-11-22T12:00:00Z
    assert retry_after(value, noon) == seconds
