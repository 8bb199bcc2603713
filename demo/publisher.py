# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A component source on loopback: a real HTTP server over a directory that holds one version at a time."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.publisher import publish


class Publisher:
    """Publishes versions below ``directory`` and counts what is fetched."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(parents=True)
        self.requests: Counter[str] = Counter()
        handler = partial(_CountingHandler, self.requests, directory=str(directory))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def publish(self, version: str, contents: dict[str, bytes]) -> None:
        """Publish ``contents`` (path to content) as ``version``."""
        with tempfile.TemporaryDirectory() as folder:
            for path, content in contents.items():
                target = Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            publish(folder, str(self._directory), version)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _CountingHandler(SimpleHTTPRequestHandler):
    """Serves files; counts requests for the manifest and for components instead of logging them."""

    def __init__(self, requests: Counter[str], *args: object, **kwargs: object) -> None:
        self._requests = requests
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as the server gave them

    def log_request(self, code: object = "-", size: object = "-") -> None:
        kind = "manifest" if self.path.endswith("manifest.json") else "component"
        status = getattr(code, "value", code)
        self._requests[f"{kind} {status}"] += 1
