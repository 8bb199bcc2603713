# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A component source: real nginx, from the lab's own root, that serves a directory on the fleet's bridge."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab_root import LabError

CONFIGURATION = """
daemon off;
pid /srv/nginx.pid;
user root;
worker_processes 1;
error_log /srv/error.log;
events {{ worker_connections 256; }}
http {{
  log_format lab '$remote_addr\\t$request_method\\t$request_uri\\t$status\\t$body_bytes_sent'
                 '\\t$http_range\\t$http_if_modified_since';
  access_log /srv/access.log lab;
  client_body_temp_path /srv/tmp; proxy_temp_path /srv/tmp; fastcgi_temp_path /srv/tmp;
  uwsgi_temp_path /srv/tmp; scgi_temp_path /srv/tmp;
  keepalive_timeout 0;
  etag on;
  server {{
    listen {address}:{port}{tls};
    root /srv/www;
    location / {{ {answer} }}
  }}
}}
"""


@dataclass(frozen=True)
class Request:
    """One line of the access log; ``status`` and ``size`` (bytes of the body sent) are numbers."""

    client: str
    method: str
    path: str
    status: int
    size: int
    range: str
    if_modified_since: str


class ComponentServer:
    """nginx with a directory (``www``) to fill, an access log to read and answers to choose."""

    def __init__(self, *, root: Path, directory: Path, address: str, port: int) -> None:
        self._root = root
        self._directory = directory
        self.address = address
        self._port = port
        self._answer = ""
        self._scheme, self._tls = "http", ""
        self._process: subprocess.Popen[bytes] | None = None
        self.www = directory / "www"
        for part in (self.www, directory / "tmp"):
            part.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.address}:{self._port}"

    def use_tls(self, certificate: Path, key: Path) -> None:
        """Speak HTTPS alone from now on, as the holder of this certificate."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copyfile(source, self._directory / name)
        self._scheme = "https"
        self._tls = " ssl; ssl_certificate /srv/server.crt; ssl_certificate_key /srv/server.key"
        self._restart()

    def start(self) -> None:
        if self._process:
            return
        text = CONFIGURATION.format(address=self.address, port=self._port, tls=self._tls, answer=self._answer)
        (self._directory / "nginx.conf").write_text(text)
        # The root's own nginx sees this directory as its /srv, in a mount namespace that ends with it.
        script = (
            f"mount --bind '{self._directory}' '{self._root}/srv' && mount --rbind /dev '{self._root}/dev' && "
            f"exec setpriv --pdeathsig TERM chroot '{self._root}' /usr/sbin/nginx -c /srv/nginx.conf"
        )
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=(self._directory / "output.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_open()

    def stop(self) -> None:
        """Gone: a connection is refused."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
            self._process = None

    def answer(self, status: int | None, *, headers: tuple[str, ...] = (), only: str = "") -> None:
        """Answer every request with ``status`` (None: serve files again); ``only`` limits it to a path's regex."""
        added = " ".join(f"add_header {header} always;" for header in headers)
        rule = f"{added} return {status};" if status else ""
        if rule and only:
            rule = f"if ($uri ~ {only}) {{ {rule} }}"
        self._configure(rule)

    def throttle(self, rate: str) -> None:
        """Send bodies at ``rate`` a second (nginx's words: 4k)."""
        self._configure(f"limit_rate {rate};")

    def publish(self, files: Mapping[str, Path | bytes | str]) -> None:
        """Make ``www`` hold exactly these files."""
        shutil.rmtree(self.www)
        self.www.mkdir()
        for name, source in files.items():
            target = self.www / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, Path):
                shutil.copy2(source, target)
            else:
                target.write_bytes(source.encode() if isinstance(source, str) else source)

    def requests(self) -> list[Request]:
        """Every request since the last ``forget``, oldest first; not what endpoints report, at moments of their own."""
        log = self._directory / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [one for one in map(_parse, lines) if one.method != "PUT"]

    def forget(self) -> None:
        """Empty the access log."""
        with contextlib.suppress(FileNotFoundError):
            os.truncate(self._directory / "access.log", 0)

    def _configure(self, rule: str) -> None:
        self._answer = rule
        self._restart()

    def _restart(self) -> None:
        if self._process:
            self.stop()
            self.start()

    def _wait_until_open(self) -> None:
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            with contextlib.suppress(OSError), socket.create_connection((self.address, self._port), timeout=1):
                return
            time.sleep(0.02)
        raise LabError(f"nginx does not listen: {(self._directory / 'output.log').read_text()[-800:]}")


def _parse(line: str) -> Request:
    client, method, path, status, size, part, since = line.split("\t")
    empty = {"-": ""}
    return Request(client, method, path, int(status), int(size), empty.get(part, part), empty.get(since, since))
