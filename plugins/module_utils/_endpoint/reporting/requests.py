# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests for a report: an occasion is written down first, so that whoever holds the lock of reports sees it.

Several occasions before the next report make one report; it names the last.
"""

from __future__ import annotations

import syslog
from typing import TYPE_CHECKING

from ..._core.reports.report import Occasion
from ..._host.host import Host
from .. import paths
from ..jobs import REPORT

if TYPE_CHECKING:
    from ..endpoint import Endpoint


def leave(host: Host, occasion: Occasion) -> None:
    """Ask for a report; raises OSError."""
    host.write(paths.REPORT_REQUEST, occasion.value.encode(), mode=0o600)


def pending(host: Host) -> bool:
    """Whether a report was asked for and nobody has begun it."""
    return host.exists(paths.REPORT_REQUEST)


def take(host: Host) -> Occasion | None:
    """The occasion of the report to be made now, which is no longer pending; None where another process took it."""
    content = host.read(paths.REPORT_REQUEST)
    if content is None:
        return None
    host.remove(paths.REPORT_REQUEST)
    try:
        return Occasion(content.decode("ascii", "replace"))
    except ValueError:
        return Occasion.REQUEST


def request(endpoint: Endpoint, occasion: Occasion) -> None:
    """Let the host's scheduler make a report and send it, without waiting for it; a failure is logged.

    Where nothing can be started, as in a directory that stands for a host, it is made at once.
    """
    host = endpoint.host
    try:
        leave(host, occasion)
    except OSError as error:
        host.log(syslog.LOG_ERR, f"the report could not be started: {error}")
        return
    start(endpoint)


def start(endpoint: Endpoint) -> None:
    """Let the report that is pending be made, as ``request`` does."""
    host = endpoint.host
    try:
        if endpoint.scheduler.start(REPORT):
            return
    except OSError as error:
        host.log(syslog.LOG_ERR, f"the report could not be started: {error}")
        return
    from .reporter import catch_up

    catch_up(host)
