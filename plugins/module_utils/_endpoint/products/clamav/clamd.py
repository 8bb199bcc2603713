# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A word with clamd over its own socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...._core.values import frozen
from ...._host.host import Host

if TYPE_CHECKING:
    import socket

_PATIENCE_S = 5.0
_LONGEST = 65536


@frozen
class Clamd:
    """Where clamd listens: a path for a local socket, or host and port."""

    path: str = ""
    address: tuple[str, int] | None = None

    @property
    def local(self) -> bool:
        return bool(self.path)

    @classmethod
    def configured(cls, config: bytes | None) -> Clamd | None:
        """The place that a clamd.conf names; a local socket wins. None where there is no file or no place in it."""
        words = _settings(config or b"")
        if "LocalSocket" in words:
            return cls(path=words["LocalSocket"])
        if words.get("TCPSocket", "").isdigit():
            return cls(address=(words.get("TCPAddr", "127.0.0.1"), int(words["TCPSocket"])))
        return None

    @classmethod
    def of(cls, host: Host, config_path: str) -> Clamd | None:
        """The clamd that works on this host now; below a root prefix there is none."""
        clamd = cls.configured(host.read(config_path)) if host.live else None
        return clamd if clamd is not None and clamd.answers() else None

    def answers(self) -> bool:
        """Whether clamd is there and able to work."""
        return self._ask(b"zPING\0") == "PONG"

    def reloads(self) -> bool:
        """Whether it reads its databases anew, now that it was told to."""
        return self._ask(b"zRELOAD\0") == "RELOADING"

    def scans(self) -> bool:
        """Whether it can scan: a few harmless bytes, sent as one chunk and an empty one."""
        sample = b"epp-agent"
        chunk = len(sample).to_bytes(4, "big") + sample
        return self._ask(b"zINSTREAM\0" + chunk + bytes(4)).startswith("stream: ")

    def _ask(self, request: bytes) -> str:
        """clamd's answer, an empty one when it gives none in time."""
        try:
            with self._connected() as connection:
                connection.sendall(request)
                return _read_answer(connection)
        except OSError:
            return ""

    def _connected(self) -> socket.socket:
        """A connection, of either version of IP; raises OSError."""
        import socket  # here, because most starts of the agent never get this far

        if self.address is not None:
            return socket.create_connection(self.address, _PATIENCE_S)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_PATIENCE_S)
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
