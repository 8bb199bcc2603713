# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The freshclam.conf of our own runs.

Ours lies apart from the distribution's, so that the package and the policy never fight over one file.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ...._core.values import frozen, replace

OFFICIAL = ("main", "daily", "bytecode")
VENDOR = "https://database.clamav.net"
NOBODY = "http://127.0.0.1:1"
"""A source that refuses at once: no request leaves the host. Port 0, which nobody can have, is no URL to curl 7.74."""


@frozen
class FreshclamConfig:
    """What our freshclam is told. No ``mirrors``: the vendor's network, found by DNS. No ``clamd_config``: no clamd.

    Without ``scripted`` it takes whole databases.
    """

    directory: str
    owner: str
    databases: tuple[str, ...]
    mirrors: tuple[str, ...] = ()
    custom_urls: tuple[str, ...] = ()
    proxy: str | None = None
    clamd_config: str | None = None
    scripted: bool = True
    attempts: int = 2

    def asking_nobody(self) -> FreshclamConfig:
        """The same directory and owner, for a run that does all but ask a source and tell clamd."""
        databases = self.databases or OFFICIAL[:1]
        return FreshclamConfig(self.directory, self.owner, databases=databases, mirrors=(NOBODY,), attempts=1)

    def in_sandbox(self, directory: str) -> FreshclamConfig:
        """The same for a run against a directory that stands for ``/``: our own user, and no word to any clamd."""
        return replace(self.for_current_user(), directory=directory, clamd_config=None)

    def for_current_user(self) -> FreshclamConfig:
        """The same for a process that may not become another user."""
        return replace(self, owner=current_user())

    def render(self) -> bytes:
        """The file's content."""
        lines = [
            "# Written by epp-agent from the endpoint's policy; changes made here are undone.",
            f"DatabaseDirectory {self.directory}",
            f"DatabaseOwner {self.owner}",
            *self._source_lines(),
            *self._database_lines(),
            *self._proxy_lines(),
            *([f"NotifyClamd {self.clamd_config}"] if self.clamd_config else []),
            "# Incremental updates, tested before they replace what works.",
            f"ScriptedUpdates {'yes' if self.scripted else 'no'}",
            "TestDatabases yes",
            "CompressLocalDatabase no",
            "# The agent bounds the whole run; these bound one transfer.",
            f"MaxAttempts {self.attempts}",
            "ConnectTimeout 15",
            "ReceiveTimeout 60",
            "# The agent reads what freshclam says and writes the journal itself.",
            "LogSyslog no",
            "LogTime no",
        ]
        return ("\n".join(lines) + "\n").encode()

    def _source_lines(self) -> list[str]:
        """``DatabaseMirror`` keeps incremental updates (``PrivateMirror`` would not); DNS knows the vendor's only."""
        if not self.mirrors:
            return [f"DatabaseMirror {VENDOR}"]
        return ["DNSDatabaseInfo no", *(f"DatabaseMirror {mirror.rstrip('/')}" for mirror in self.mirrors)]

    def _database_lines(self) -> list[str]:
        excluded = [f"ExcludeDatabase {name}" for name in OFFICIAL if name not in self.databases]
        extra = [f"ExtraDatabase {name}" for name in self.databases if name not in OFFICIAL]
        return [*excluded, *extra, *(f"DatabaseCustomURL {url}" for url in self.custom_urls)]

    def _proxy_lines(self) -> list[str]:
        if not self.proxy:
            return []
        parts = urlsplit(self.proxy)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return [f"HTTPProxyServer {parts.scheme}://{host}", f"HTTPProxyPort {parts.port or 3128}"]


def current_user() -> str:
    """The name of the user this process runs as."""
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
