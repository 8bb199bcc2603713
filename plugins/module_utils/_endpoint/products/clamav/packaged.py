# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ClamAV's engine as the packages of Debian and what derives from it: which they are, and whether a new one works."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from ...._core.probes import ProbeOutcome
from ...._core.settings.trust import ProbeSettings
from ...._core.values import frozen
from ...packages.dpkg import PackageSet
from . import clamd_service, engine
from .clamd import Clamd
from .probe import probe

if TYPE_CHECKING:
    from .product import ClamAV

PACKAGES = PackageSet(("clamav*", "libclamav*", "clamdscan"), source="clamav", core="libclamav")
_UPSTREAM = re.compile(r"(?:[0-9]+:)?([0-9]+(?:\.[0-9]+)*)")
_TICK_S = 0.25


@frozen
class ClamavEngine:
    """clamd, clamscan and their library."""

    product: ClamAV

    @property
    def packages(self) -> PackageSet:
        return PACKAGES

    def alive(self) -> bool:
        return Clamd.of(self.product.host, self.product.settings.clamd_config) is not None

    def process(self) -> str:
        return clamd_service.process(self.product.host)

    def restart(self) -> None:
        clamd_service.restart(self.product.host)

    def probe(self, settings: ProbeSettings, version: str, *, alive: bool) -> ProbeOutcome | None:
        """clamd, which was started anew, is waited for, and has to be the new one; then as after any update."""
        deadline = time.monotonic() + settings.timeout
        if alive and not self._answers(deadline):
            return ProbeOutcome.of(["clamd did not come back with the new engine"])
        told, wanted = self._clamd_version() if alive else "", upstream(version)
        if told and wanted and upstream(told) != wanted:
            return ProbeOutcome.of([f"clamd is still version {told}, and {wanted} is installed"])
        return probe(self.product, settings, alive=alive)

    def _answers(self, deadline: float) -> bool:
        clamd = engine.configured(self.product)
        while clamd is None or not clamd.answers():
            if clamd is None or time.monotonic() >= deadline:
                return False
            time.sleep(_TICK_S)
        return True

    def _clamd_version(self) -> str:
        clamd = engine.configured(self.product)
        return "" if clamd is None else clamd.version()


def upstream(version: str) -> str:
    """What ClamAV itself calls the version of a package: 1.4.3 of 1.4.3+dfsg-1~deb13u1."""
    match = _UPSTREAM.match(version)
    return match[1] if match else ""
