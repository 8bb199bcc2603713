# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web server of the demonstration: a real one on loopback, for what the update server publishes."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class WebServer:
    """Serves ``directory`` and counts requests by kind and status (``component 200``)."""

    def __init__(self, directory: Path) -> None:
        self.requests: Counter[str] = Counter()
        handler = partial(_CountingHandler, self.requests, directory=str(directory))
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

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _CountingHandler(SimpleHTTPRequestHandler):
    """Serves files; counts requests instead of logging them."""

    def __init__(self, requests: Counter[str], *args: object, **kwargs: object) -> None:
        self._requests = requests
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as the server gave them

    def log_request(self, code: object = "-", size: object = "-") -> None:
        self._requests[f"{_kind(self.path)} {getattr(code, 'value', code)}"] += 1

    def log_message(self, *words: object) -> None:
        """Nothing: what matters is counted."""


def _kind(path: str) -> str:
    if path.startswith("/configuration/"):
        return "catalog" if path.endswith("catalog.json") else "configuration"
    return "manifest" if path.endswith("manifest.json") else "component"
