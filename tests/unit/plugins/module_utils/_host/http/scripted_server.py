# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real HTTP server that serves a folder as a static web server does, or answers as a test says.

It listens on a loopback port, unless it is told another address, and takes PUTs to the paths that a test allows.
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    status: int
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """A scripted answer. ``body_cut`` sends only so many bytes of the body.

    ``stalls``: then says nothing more until the client goes away, ``drips``: sends a byte now and then until it does.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body_cut: int | None = None
    stalls: bool = False
    drips: bool = False


class ScriptedServer:
    """Serves ``folder``; ``script(path, headers)`` may answer first. ``requests`` holds what was asked."""

    def __init__(self, folder: str, *, address: str = "127.0.0.1", port: int = 0) -> None:
        self.folder = folder
        self.script: Callable[[str, dict[str, str]], Answer | None] | None = None
        self.requests: list[Request] = []
        self.places: set[str] = set()
        """The paths to which something may be PUT."""
        self.deserted = threading.Event()
        """Whether a client went away from an answer that would never have ended."""
        self.as_proxy = 200
        """What it answers who wants a tunnel through it."""
        outer = self

        class Handler(_Handler):
            server_script = outer

        self._httpd = ThreadingHTTPServer((address, port), Handler)
        self._httpd.daemon_threads = True
        self.port: int = self._httpd.server_address[1]
        self.url = f"http://{address}:{self.port}"
        self._thread = threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def always(self, answer: Answer) -> None:
        self.script = lambda path, headers: answer

    def seen(self) -> list[tuple[str, int]]:
        """(path, status) of every request since the last ``forget``."""
        return [(request.path, request.status) for request in self.requests]

    def stored(self) -> list[bytes]:
        """What was PUT and taken since the last ``forget``."""
        return [one.body for one in self.requests if one.method == "PUT" and 200 <= one.status < 300]

    def forget(self) -> None:
        self.requests.clear()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_script: ScriptedServer

    def do_GET(self) -> None:
        outer = self.server_script
        answer = outer.script(self.path, dict(self.headers.items())) if outer.script else None
        if answer is None:
            answer = self._static()
        outer.requests.append(Request(self.command, self.path, dict(self.headers.items()), answer.status))
        self._send(answer)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        outer = self.server_script
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = outer.script(self.path, dict(self.headers.items())) if outer.script else None
        if answer is None:
            answer = Answer(204 if self.path in outer.places else 404)
        outer.requests.append(Request(self.command, self.path, dict(self.headers.items()), answer.status, body))
        self._send(answer)

    def do_CONNECT(self) -> None:
        """Be a proxy that tunnels, to ourselves wherever the client wants to go."""
        status = self.server_script.as_proxy
        self.server_script.requests.append(Request(self.command, self.path, dict(self.headers.items()), status))
        self.send_response(status, "Connection established" if status == 200 else "No")
        if status != 200:
            self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = status != 200

    def _static(self) -> Answer:
        path = os.path.join(self.server_script.folder, self.path.split("?")[0].lstrip("/"))
        if not os.path.isfile(path):
            return Answer(404, b"not here\n")
        with open(path, "rb") as stream:
            body = stream.read()
        # Manifests look a minute old: a younger one is not asked for conditionally (see validators.py).
        age = 60 if path.endswith("manifest.json") else 0
        headers = {
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"',
            "Last-Modified": self.date_time_string(int(os.stat(path).st_mtime) - age),
            "Accept-Ranges": "bytes",
        }
        if self.headers.get("If-None-Match") == headers["ETag"]:
            return Answer(304, b"", headers)
        since = self.headers.get("If-Modified-Since")
        if since and not self.headers.get("If-None-Match") and since == headers["Last-Modified"]:
            return Answer(304, b"", headers)
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if span and self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
            first, last = int(span[1]), min(int(span[2] or len(body) - 1), len(body) - 1)
            if first >= len(body):
                return Answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            return Answer(206, body[first : last + 1], headers)
        return Answer(200, body, headers)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.body_cut is not None:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        body = answer.body if answer.body_cut is None else answer.body[: answer.body_cut]
        if self.command == "HEAD":
            body = b""  # else a client that keeps the connection takes it for the beginning of the next answer
        try:
            self.wfile.write(body)
            self.wfile.flush()
            if answer.stalls or answer.drips:
                self._never_end(answer)
        except OSError:
            pass  # the client went away, as some tests want

    def _never_end(self, answer: Answer) -> None:
        """Keep the client for as long as it stays, or for a minute: longer than any test gives it."""
        for _moment in range(1200):
            if select.select([self.connection], [], [], 0.05)[0]:
                self.server_script.deserted.set()
                return
            if answer.drips:
                self.wfile.write(b" ")

    def log_message(self, format: str, *args: object) -> None:
        pass
