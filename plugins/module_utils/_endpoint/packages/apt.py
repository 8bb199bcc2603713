# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt-get, called so that it asks nobody, keeps configuration files, and brings nothing but what it was told to."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.values import frozen
from ..._host.host import Completed, Host
from ..paths import CACHE_DIRECTORY
from .apt_output import Plan, plan_of
from .pin import all_but_ours

CACHE = CACHE_DIRECTORY + "/packages"
"""Where packages are fetched to, and kept to go back to."""
_PLAN_S = 120.0
_LOCK_WAIT_S = 60
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "APT_LISTCHANGES_FRONTEND": "none"}
_OPTIONS = (
    f"DPkg::Lock::Timeout={_LOCK_WAIT_S}",
    "Dpkg::Use-Pty=0",
    "DPkg::Options::=--force-confdef",
    "DPkg::Options::=--force-confold",
    "APT::Install-Recommends=0",
    "APT::Install-Suggests=0",
    "Acquire::Retries=1",
    "Acquire::http::Timeout=30",
    "Acquire::https::Timeout=30",
)
_ROOTED = ("Dir={0}/", "Dir::State::status={0}/var/lib/dpkg/status", "DPkg::Options::=--root={0}")


@frozen
class Apt:
    """apt-get on one host. Commands are bounded in time; what they print is for ``apt_output``."""

    host: Host

    def refresh(self, timeout: float) -> Completed:
        """Read the lists of the package sources anew."""
        return self._run(("update",), timeout)

    def plan(self, words: Sequence[str]) -> Plan:
        """What an upgrade of these installed packages would do (``name`` or ``name=version``); nothing is done."""
        return plan_of(self._run(("--simulate", "install", "--only-upgrade", *words), _PLAN_S))

    def fetch(self, words: Sequence[str], timeout: float) -> Completed:
        """Fetch these versions (``name=version``) into the cache, be they those that are installed."""
        return self._run(("install", "--download-only", "--reinstall", *words), timeout)

    def upgrade(self, words: Sequence[str], timeout: float) -> Completed:
        """Upgrade to these versions (``name=version``), which were fetched."""
        return self._run(("install", "--only-upgrade", "--no-remove", "--no-download", *words), timeout)

    def go_back(self, files: Sequence[str], timeout: float) -> Completed:
        """Install packages from their files (real paths), older ones, too."""
        words = ("install", "--allow-downgrades", "--no-remove", "--no-download", *files)
        return self._run(words, timeout)

    def _run(self, words: Sequence[str], timeout: float) -> Completed:
        root = self.host.root
        rooted = (one.format(root) for one in _ROOTED) if root else ()
        with all_but_ours(self.host) as pins:
            options = (*_OPTIONS, f"Dir::Cache::archives={self.host.real(CACHE)}/", *rooted, *pins)
            flags = tuple(word for option in options for word in ("-o", option))
            return self.host.run(("apt-get", "-q", "-y", *flags, *words), timeout=timeout, env=_ENVIRONMENT)
