# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command reports once its work is done and told (R4). What that needs is imported only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._host.output import flush

if TYPE_CHECKING:
    from ..._host.host import Host
    from ..converge.result import Converged
    from ..endpoint import Endpoint
    from ..sync.sync import SyncReport


def report_run(host: Host) -> None:
    """Report an update where it ran, which has a network."""
    from ..._core.reports.report import Occasion
    from ..reporting.reporter import report

    flush()
    report(host, Occasion.RUN)


def request_report(endpoint: Endpoint, occasion: str) -> None:
    """Have the host's scheduler report: whoever asks has no network, or is waited for."""
    from ..._core.reports.report import Occasion
    from ..reporting.requests import request

    flush()
    request(endpoint, Occasion(occasion))


def report_converge(endpoint: Endpoint) -> None:
    """Report a converge that changed something. Where there is no update server nothing is sent: it is made at once,
    for to start a job and another Python costs the endpoint several times as much."""
    from ..._core.reports.report import Occasion
    from ..reporting.reporter import report
    from ..reporting.requests import request

    flush()
    if endpoint.document.server is None:
        report(endpoint.host, Occasion.CONVERGE)
    else:
        request(endpoint, Occasion.CONVERGE)


def report_sync(endpoint: Endpoint, asked: SyncReport | None, converged: Converged) -> None:
    """Report what became of a synchronization by hand, or of the converge to what was adopted, which is shut in."""
    if converged.changed:
        request_report(endpoint, "converge")
    elif asked is not None:
        from ..reporting.daily import occasion_of
        from ..state.report_record import ReportStore

        occasion = occasion_of(asked.result, ReportStore(endpoint.host).read().configuration)
        if occasion is not None:
            request_report(endpoint, occasion.value)


def report_waking(endpoint: Endpoint, asked: SyncReport | None) -> None:
    """Report what the daily waking makes due, in its own process, which has a network."""
    from ..reporting.daily import report_due

    flush()
    report_due(endpoint, None if asked is None else asked.result)
