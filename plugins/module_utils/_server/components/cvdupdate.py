# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program cvdupdate: its configuration and state files, and one run of it.

Both files are JSON of its own (seen with 1.2): the configuration has the places and the number of tries, the state has
one entry a database with its URL, the field of the DNS record that tells its version, what is there and, after an
answer 429, until when requests are rate-limited. Only what settings decide is written; the rest is its own.
"""

from __future__ import annotations

import json
from typing import Any

from ..._core.settings.components import ClamAVSource
from ..._core.values import frozen
from ..._host.host import Completed, Host

_DNS_FIELDS = {"main": 1, "daily": 2, "bytecode": 7}
_NEW: dict[str, Any] = {
    "retry after": 0,
    "last modified": 0,
    "last checked": 0,
    "DNS field": 0,
    "local version": 0,
    "CDIFFs": [],
}


@frozen
class Cvdupdate:
    """cvdupdate in a working directory (without the root prefix); ``retries`` is how often it tries one download."""

    host: Host
    settings: ClamAVSource
    work: str
    retries: int

    @property
    def database_directory(self) -> str:
        return self.work + "/database"

    def update(self) -> Completed:
        """Write its configuration and run it. Raises OSError when the program is not there."""
        self._configure()
        argv = [self.settings.cvd, "update", "--config", self.host.real(self._configuration)]
        try:
            return self.host.run(argv, timeout=self.settings.timeout, env={"HOME": self.host.real(self.work)})
        except FileNotFoundError:
            why = "cvdupdate is not there: install it in an environment of its own, or set components.clamav.cvd"
            raise FileNotFoundError(2, why, self.settings.cvd) from None

    def checked(self) -> float:
        """When it last learned of a version, by its own state: it asks a vendor for official databases only then."""
        return max(
            (float(entry.get("last checked", 0)) for entry in self._state().get("dbs", {}).values()), default=0.0
        )

    def cooling_down(self) -> int | None:
        """When the vendor's rate limit ends (Unix seconds); None without one."""
        entries = self._state().get("dbs", {}).values()
        until = max((float(entry.get("retry after", 0)) for entry in entries), default=0.0)
        return int(until) + 1 if until > self.host.now() else None

    @property
    def _configuration(self) -> str:
        return self.work + "/config.json"

    @property
    def _state_file(self) -> str:
        return self.work + "/state.json"

    def _configure(self) -> None:
        for directory in (self.work, self.database_directory, self.work + "/logs"):
            self.host.mkdir(directory, mode=0o750)
        configuration = {
            "nameserver": self.settings.nameserver,
            "max retry": self.retries,
            "log directory": self.host.real(self.work + "/logs"),
            "rotate logs": True,
            "# logs to keep": 30,
            "db directory": self.host.real(self.database_directory),
            "rotate cdiffs": True,
            "# cdiffs to keep": self.settings.keep_cdiffs,
            "state file": self.host.real(self._state_file),
        }
        self._write(self._configuration, configuration)
        state = self._state()
        known = state.get("dbs", {})
        state["dbs"] = {name: {**_NEW, **known.get(name, {}), **told} for name, told in self._databases().items()}
        self._write(self._state_file, state)

    def _databases(self) -> dict[str, dict[str, Any]]:
        official = {
            f"{name}.cvd": {"url": f"{self.settings.mirror}/{name}.cvd", "DNS field": _DNS_FIELDS[name]}
            for name in self.settings.databases
        }
        return {**official, **{name: {"url": url, "DNS field": 0} for name, url in self.settings.extra.items()}}

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads(self.host.read(self._state_file) or b"{}")
        except ValueError:  # cvdupdate writes it in place: a killed one leaves half of it
            return {}
        return state if isinstance(state, dict) else {}

    def _write(self, path: str, content: dict[str, Any]) -> None:
        self.host.write(path, json.dumps(content, indent=1).encode(), mode=0o640)
