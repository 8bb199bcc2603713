# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx on a live host: one configuration file, tested, and restored where nginx rejects it."""

from __future__ import annotations

import re

from ..._core.resources.resources import Absent, File, Resource
from ..._host.accounts import ids_of
from ..._host.host import Completed, Host
from ..._host.reconcile import apply
from ..._host.systemd.state import systemctl, systemd_runs, unit_states
from .text import LOG

DIRECTORY = "/etc/nginx/conf.d"
FILE = DIRECTORY + "/epp-autoupdate.conf"
LOGS = LOG
_OWN_CONFIGURATION = "/etc/nginx/nginx.conf"
_USER = re.compile(r"^[ \t]*user[ \t]+([^\s;]+)", re.MULTILINE)
USERS = ("www-data", "nginx", "http")
"""As whom nginx works where its configuration does not say it: Debian; Red Hat, SUSE, Alpine, nginx.org; Arch."""
_WEBDAV = "http_dav_module"
_UNIT = "nginx.service"
_PID = "/run/nginx.pid"
_TIMEOUT_S = 60.0


class Nginx:
    """nginx as distributions package it: it reads ``/etc/nginx/conf.d``, and its service is called nginx."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def has_ipv6(self) -> bool:
        return self._host.exists("/proc/net/if_inet6")

    @property
    def user(self) -> str:
        """As whom nginx answers requests."""
        told = _USER.search((self._host.read(_OWN_CONFIGURATION) or b"").decode("utf-8", "replace"))
        return told[1] if told else next((name for name in USERS if ids_of(name)), USERS[0])

    @property
    def takes_reports(self) -> bool:
        """Whether it has the module for that. It is not asked where it has accepted our configuration already."""
        if b"dav_methods" in (self._host.read(FILE) or b""):
            return True
        told = self._host.run(("nginx", "-V"), timeout=_TIMEOUT_S)
        return _WEBDAV in told.err + told.out

    def entries(self, text: str) -> tuple[Resource, ...]:
        """The wanted configuration file."""
        return (File(FILE, text.encode()),)

    def drift(self) -> tuple[str, ...]:
        """Differences, in words: nginx does not run, or does not start at boot."""
        if not systemd_runs(self._host):
            return () if self._runs() else ("nginx does not run",)
        state = unit_states(self._host, (_UNIT,))[_UNIT]
        return (
            *(() if state.active else ("nginx does not run",)),
            *(() if state.enabled else ("nginx does not start at boot",)),
        )

    def configure(self, entry: Resource) -> None:
        """Install or remove the file; where nginx rejects the result, restore the previous state and raise OSError with
        its message."""
        before = self._host.read(FILE)
        apply(self._host, entry)
        try:
            self._run("nginx", "-t", "-q")
        except OSError:
            apply(self._host, Absent(FILE) if before is None else File(FILE, before))
            raise

    def start(self) -> None:
        """Start and enable nginx. A running one reloads its configuration and is never restarted."""
        drift = self.drift()
        if drift and systemd_runs(self._host):
            systemctl(self._host, "enable", "--now", "--", _UNIT)
        elif drift:
            self._run("service", "nginx", "start")
        if "nginx does not run" not in drift:
            self.reload()

    def reload(self) -> None:
        """Reload a running nginx; a stopped one stays stopped. Not by the service manager, which would start it."""
        if self._runs():
            self._run("nginx", "-s", "reload")

    def _runs(self) -> bool:
        pid = (self._host.read(_PID) or b"").strip().decode("ascii", "replace")
        return pid.isdecimal() and self._host.exists(f"/proc/{pid}")

    def _run(self, *argv: str) -> Completed:
        done = self._host.run(argv, timeout=_TIMEOUT_S)
        if done.code != 0:
            told = done.err.strip() or done.out.strip() or f"it {done.ended}"
            raise OSError(f"{' '.join(argv)}: {told}")
        return done
