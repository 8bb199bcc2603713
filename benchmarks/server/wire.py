# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server on loopback whose log has the size of each request and of its answer, headers included."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """One line of the log; sizes are bytes."""

    path: str
    status: int
    received: int
    sent: int


class WebServer:
    """Serves ``directory``; ``log`` is what was asked for since it was cleared."""

    def __init__(self, directory: Path) -> None:
        self.log: list[Request] = []
        handler = partial(_LoggingHandler, self.log, directory=str(directory))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Counted:
    """A stream that counts what is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.size = stream, 0

    def write(self, content: bytes) -> int:
        self.size += len(content)
        return int(self._stream.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _LoggingHandler(SimpleHTTPRequestHandler):
    def __init__(self, log: list[Request], *args: Any, **kwargs: Any) -> None:
        self._log, self._status = log, 0
        super().__init__(*args, **kwargs)

    def setup(self) -> None:
        super().setup()
        self.wfile = _Counted(self.wfile)  # type: ignore[assignment]  # a stream for all that is done with it

    def handle_one_request(self) -> None:
        before = self.wfile.size  # type: ignore[attr-defined]  # that of _Counted
        super().handle_one_request()
        if self._status:
            received = len(self.raw_requestline) + len(self.headers.as_bytes())
            sent = self.wfile.size - before  # type: ignore[attr-defined]  # that of _Counted
            self._log.append(Request(self.path, self._status, received, sent))
            self._status = 0

    def log_request(self, code: Any = "-", size: Any = "-") -> None:  # noqa: ARG002  the base's argument
        self._status = int(getattr(code, "value", code))

    def log_message(self, *words: Any) -> None:
        """Nothing: the log has it."""
