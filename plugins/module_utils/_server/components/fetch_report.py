# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fetch of a product came to: reported at once, and on record for the server's status."""

from __future__ import annotations

import json
from typing import Any

from ..._core.results import Result
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import frozen
from ..._host.host import Host
from .. import paths
from ..settings import read_section


@frozen
class FetchReport:
    """What the fetch of one product came to; ``campaign`` is the id of the campaign that it began, if any.

    ``warning`` says what keeps the published content from the endpoints; it is empty where nothing does.
    """

    product: str
    result: Result
    why: str
    until: int | None
    version: str | None
    campaign: str | None
    warning: str = ""

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"product": self.product, "result": self.result.value, "reason": self.why}
        return {
            **plain,
            "until": iso_or_none(self.until),
            "version": self.version,
            "campaign": self.campaign,
            "warning": self.warning,
        }

    def sentence(self) -> str:
        parts = [f"fetch {self.product}: {self.result.value}", f"version {self.version}" if self.version else ""]
        parts += [self.why, "" if self.until is None else f"until {iso(self.until)}"]
        parts += [f"campaign {self.campaign} begins" if self.campaign else ""]
        parts += [f"warning: {self.warning}" if self.warning else ""]
        return "; ".join(part for part in parts if part)


def record_fetch(host: Host, report: FetchReport) -> None:
    """Keep what the last fetch of each product came to, for the server's status."""
    known = _recorded(host)
    known[report.product] = {**report.to_dict(), "at": iso(host.now())}
    host.write(paths.FETCHED, json.dumps(known, sort_keys=True).encode(), mode=0o640)


def last_fetches(host: Host) -> dict[str, Any]:
    """What the last fetch of each product came to, by product, of those that are set up."""
    wanted = read_section(host, "components")
    return {product: one for product, one in _recorded(host).items() if product in wanted}


def _recorded(host: Host) -> dict[str, Any]:
    try:
        known = json.loads(host.read(paths.FETCHED) or b"{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}
