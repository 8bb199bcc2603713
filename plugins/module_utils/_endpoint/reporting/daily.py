# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of the daily waking."""

from __future__ import annotations

from ..._core.metadata.sync_result import REFUSALS, SyncResult
from ..._core.reports.report import Occasion
from ..._core.schedule.sync_schedule import daily_calendar, daily_due
from ..endpoint import Endpoint
from ..state.report_record import ReportStore
from .requests import pending


def report_due(endpoint: Endpoint, answered: SyncResult | None) -> None:
    """Report what a waking makes due: the day's report, what the update server ``answered``, or what waits."""
    host = endpoint.host
    told = ReportStore(host).read()
    occasion = Occasion.DAILY if daily_report_due(endpoint) else occasion_of(answered, told.configuration)
    if occasion is None and not (told.waiting or pending(host)):
        return
    from .reporter import catch_up, report

    if occasion is None:
        catch_up(host)
    else:
        report(host, occasion)


def daily_report_due(endpoint: Endpoint) -> bool:
    """Whether nobody has looked for drift since the endpoint's own second of the day."""
    calendar = daily_calendar(endpoint.document.endpoint, endpoint.document.ordinal)
    return daily_due(calendar, now=endpoint.host.now(), last=ReportStore(endpoint.host).read().looked)


def occasion_of(answered: SyncResult | None, told: str) -> Occasion | None:
    """The occasion that an answer about the configuration is; None where it is none.

    ``told`` is what the last report said of it: the end of a refusal is news, though nothing new is adopted then.
    """
    mended = answered is SyncResult.UNCHANGED and (told in REFUSALS or told == SyncResult.FAILED.value)
    if answered is SyncResult.ADOPTED or mended:
        return Occasion.ADOPTION
    return Occasion.REFUSAL if answered is not None and answered.value in REFUSALS else None
