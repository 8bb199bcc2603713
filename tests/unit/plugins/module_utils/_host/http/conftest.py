# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers on loopback, one of them with TLS, and an address at which nobody listens."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import ScriptedServer


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    (tmp_path / "root").mkdir()
    return LocalHost(str(tmp_path / "root"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    (tmp_path / "www").mkdir()
    served = ScriptedServer(str(tmp_path / "www"))
    yield served
    served.stop()


@pytest.fixture
def dead_url(tmp_path: Path) -> str:
    """An address at which nobody listens any more."""
    served = ScriptedServer(str(tmp_path))
    served.stop()
    return served.url


class Https:
    """A server whose certificate nobody has signed but itself; it redirects to ``elsewhere``."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = certificate
        self.elsewhere = ""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302 if outer.elsewhere else 200)
                self.send_header("Location", outer.elsewhere)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._httpd.socket = context.wrap_socket(self._httpd.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._httpd.server_address[1]}"
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


@pytest.fixture
def https(tmp_path: Path) -> Iterator[Https]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *made]
    subprocess.run(command, check=True, capture_output=True)
    served = Https(certificate, key)
    yield served
    served.stop()
