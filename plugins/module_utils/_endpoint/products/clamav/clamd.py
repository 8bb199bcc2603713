# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A word with clamd over its own socket."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from ...._core.values import frozen
from ...._host.host import Host

if TYPE_CHECKING:
    import socket

_TIMEOUT_S = 5.0
_LONGEST = 65536
_DIRECTORY = "/var/lib/clamav"
_CHUNK = 1 << 16
_STREAM = "stream: "
_VERSION = re.compile(r"ClamAV [^/]+/([0-9]+)/")
_OWN_VERSION = re.compile(r"ClamAV ([^/\s]+)")


@frozen
class Clamd:
    """Where clamd listens: a path for a local socket, or host and port."""

    path: str = ""
    address: tuple[str, int] | None = None
    directory: str = _DIRECTORY
    official_only: bool = False
    """Whether it reads signed databases alone."""

    @property
    def local(self) -> bool:
        return bool(self.path)

    @classmethod
    def configured(cls, config: bytes | None) -> Clamd | None:
        """The place that a clamd.conf names; a local socket wins. None where there is no file or no place in it."""
        words = _settings(config or b"")
        directory = words.get("DatabaseDirectory", _DIRECTORY).rstrip("/")
        official_only = words.get("OfficialDatabaseOnly", "no").lower() in ("yes", "true", "1")
        if "LocalSocket" in words:
            return cls(words["LocalSocket"], None, directory, official_only)
        if words.get("TCPSocket", "").isdigit():
            address = (words.get("TCPAddr", "127.0.0.1"), int(words["TCPSocket"]))
            return cls("", address, directory, official_only)
        return None

    @classmethod
    def of(cls, host: Host, config_path: str) -> Clamd | None:
        """The clamd that works on this host now; below a root prefix there is none."""
        clamd = cls.configured(host.read(config_path)) if host.live else None
        return clamd if clamd is not None and clamd.answers() else None

    def answers(self) -> bool:
        """Whether clamd is there and able to work."""
        return self._ask(b"zPING\0") == "PONG"

    def listens(self) -> bool:
        """Whether anybody is there at all, be it too busy to answer."""
        try:
            self._connected().close()
        except OSError:
            return False
        return True

    def reads(self, directory: str) -> bool:
        """Whether it reads what is not signed in this directory, too."""
        return self.directory == directory and not self.official_only

    def daily(self) -> str:
        """The version of the database ``daily`` that it has loaded; empty where it has none."""
        match = _VERSION.match(self._ask(b"zVERSION\0"))
        return match[1] if match else ""

    def version(self) -> str:
        """The version of clamd itself; empty where it does not tell."""
        match = _OWN_VERSION.match(self._ask(b"zVERSION\0"))
        return match[1] if match else ""

    def reloads(self) -> bool:
        """Whether it reads its databases anew, now that it was told to."""
        return self._ask(b"zRELOAD\0") == "RELOADING"

    def scans(self) -> bool:
        """Whether it can scan: a few harmless bytes, sent as one chunk and an empty one."""
        return bool(self.finding(b"epp-agent", time.monotonic() + _TIMEOUT_S))

    def finding(self, content: bytes, deadline: float) -> str:
        """What it says of some bytes until ``deadline``: ``OK``, ``name FOUND`` or ``why ERROR``; empty: nothing."""
        chunks = (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))
        stream = b"".join(len(chunk).to_bytes(4, "big") + chunk for chunk in chunks)
        timeout = max(_TIMEOUT_S, deadline - time.monotonic())
        answer = self._ask(b"zINSTREAM\0" + stream + bytes(4), timeout)
        return answer.removeprefix(_STREAM)

    def _ask(self, request: bytes, timeout: float = _TIMEOUT_S) -> str:
        """clamd's answer, an empty one when it gives none in time."""
        try:
            with self._connected() as connection:
                connection.settimeout(timeout)
                connection.sendall(request)
                return _read_answer(connection)
        except OSError:
            return ""

    def _connected(self) -> socket.socket:
        """A connection, of either version of IP; raises OSError."""
        import socket  # here, because most starts of the agent never get this far

        if self.address is not None:
            return socket.create_connection(self.address, _TIMEOUT_S)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_TIMEOUT_S)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection


def _read_answer(connection: socket.socket) -> str:
    answer = bytearray()
    while len(answer) < _LONGEST and (chunk := connection.recv(4096)):
        answer += chunk
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _settings(config: bytes) -> dict[str, str]:
    """The first value of every word of a clamd.conf."""
    words: dict[str, str] = {}
    for line in config.decode("utf-8", "replace").splitlines():
        name, *rest = line.split(None, 1) or [""]
        if name and not name.startswith("#"):
            words.setdefault(name, "".join(rest).strip().strip('"'))
    return words
