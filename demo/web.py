# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web server of the demonstration: a real one on loopback, for what the server publishes, and for reports."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class WebServer:
    """Serves ``directory`` and counts requests by kind and status (``component 200``).

    It takes the reports of endpoints that have a place below ``reports``, as nginx does with the role's configuration.
    """

    def __init__(self, directory: Path, reports: Path | None = None) -> None:
        self.requests: Counter[str] = Counter()
        self._served: list[str] = []
        handler = partial(_CountingHandler, self.requests, self._served, reports, directory=str(directory))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def count(self) -> str:
        """What was asked for since the last time, in words."""
        counted, words = self.requests.copy(), []
        self.requests.clear()
        for kind, number in sorted(counted.items()):
            words.append(f"{number} x {kind}")
        return ", ".join(words) or "none"

    def downloads(self, name: str) -> int:
        """How often a file of this name was served."""
        return sum(path.endswith(f"/{name}") for path in self._served)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _CountingHandler(SimpleHTTPRequestHandler):
    """Serves files, takes reports; counts requests instead of logging them."""

    def __init__(
        self, requests: Counter[str], served: list[str], reports: Path | None, *args: object, **kwargs: object
    ) -> None:
        self._requests, self._served, self._reports = requests, served, reports
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as the server gave them

    def do_PUT(self) -> None:
        """Take a report where there is a place for it; it is in the inbox once it is there in full."""
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        folder, _slash, name = self.path.rpartition("/")
        reports = self._reports if folder == "/reports" else None
        if reports is None or name not in os.listdir(reports / "places"):
            self.send_error(404)
            return
        inbox = reports / "inbox"
        inbox.mkdir(exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=reports)
        with open(handle, "wb") as stream:
            stream.write(content)
        os.replace(unfinished, inbox / name)
        self.send_response(204)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        kind, code = _kind(self.path), getattr(code, "value", code)
        if kind:
            self._requests[f"{kind} {code}"] += 1
        if code == 200:
            self._served.append(self.path)

    def log_message(self, *words: object) -> None:
        """Nothing: what matters is counted."""


def _kind(path: str) -> str:
    """What a path is of; empty for reports, which endpoints send in their own time."""
    if path.startswith("/reports/"):
        return ""
    if path.startswith("/configuration/"):
        return "catalog" if path.endswith("catalog.json") else "configuration"
    return "manifest" if path.endswith("manifest.json") else "component"
