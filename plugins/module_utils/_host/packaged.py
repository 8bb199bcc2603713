# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a file below ``/etc`` came with a package of the operating system, or somebody wrote it.

dpkg and apk are asked by their databases, which are text, so that this is known of a directory that stands for a host,
too. rpm is asked itself, on a live host alone. Where no package manager is known, nothing came with a package.
"""

from __future__ import annotations

import re

from .host import Host

_DPKG, _UCF = "/var/lib/dpkg/status", "/var/lib/ucf/hashfile"
"""ucf(1) keeps those files of packages that their scripts write; dpkg does not know them."""
_LISTS = "/var/lib/dpkg/info"
_STARTING = re.compile(rb"^/etc/(?:anacron|cron|init|periodic|systemd)[^\n]*", re.MULTILINE)
"""The files of packages that may start something."""
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_RPM, _RPM_DATABASES = "/usr/bin/rpm", ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
_LARGEST = 64 * 1024 * 1024
_TIMEOUT_S = 30.0


class PackagedFiles:
    """The files of packages; each database is read once, when it is needed first."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: dict[str, bool] = {}
        self._texts: dict[str, bytes] = {}
        self._listed: frozenset[bytes] | None = None

    def has(self, path: str) -> bool:
        """Whether a package brought the file at this path, or its scripts wrote it."""
        if path not in self._known:
            self._known[path] = self._in_dpkg(path) or self._in_apk(path) or self._in_rpm(path)
        return self._known[path]

    def _in_dpkg(self, path: str) -> bool:
        """As a configuration file: ``Conffiles:`` has lines of a path and its sum, ucf's file those of both; else in
        one of the lists of files, for packages of vendors often call nothing a configuration file."""
        name = re.escape(path.encode())
        conffile, by_ucf = rb"^ " + name + rb" [0-9a-z]", rb"^[0-9a-f]{32}  " + name + rb"$"
        dpkg, ucf = self._text(_DPKG), self._text(_UCF)
        if any(re.search(told, text, re.MULTILINE) for told, text in ((conffile, dpkg), (by_ucf, ucf))):
            return True
        return bool(dpkg) and path.encode() in self._in_lists()

    def _in_lists(self) -> frozenset[bytes]:
        if self._listed is None:
            names = [name for name in self._host.names(_LISTS) if name.endswith(".list")]
            texts = (self._host.peek(f"{_LISTS}/{name}", _LARGEST) or b"" for name in names)
            self._listed = frozenset(found for text in texts for found in _STARTING.findall(text))
        return self._listed

    def _in_apk(self, path: str) -> bool:
        """``F:`` begins a directory, ``R:`` is one of its files."""
        directory, _slash, name = path[1:].rpartition("/")
        for database in _APK:
            text = self._text(database)
            for block in text.split(b"\nF:" + directory.encode() + b"\n")[1:]:
                if b"\nR:" + name.encode() + b"\n" in b"\n" + re.split(rb"\nF:|\n\n", block, maxsplit=1)[0] + b"\n":
                    return True
        return False

    def _in_rpm(self, path: str) -> bool:
        host = self._host
        if not host.live or not any(map(host.exists, _RPM_DATABASES)) or not host.exists(_RPM):
            return False
        return host.run((_RPM, "--query", "--file", path), timeout=_TIMEOUT_S).code == 0

    def _text(self, path: str) -> bytes:
        if path not in self._texts:
            self._texts[path] = self._host.peek(path, _LARGEST) or b""
        return self._texts[path]
