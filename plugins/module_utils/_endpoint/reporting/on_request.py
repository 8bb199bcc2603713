# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report for an update server that asks by notice: it is the answer, and nothing is sent (R4)."""

from __future__ import annotations

import syslog

from ..._core.reports.report import Occasion
from ..._core.results import Result
from ..._core.rollout.command import REPORT
from ..._core.untrusted_text import shown
from ..._core.values import field, frozen, replace
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..state.report_record import ReportRecord, ReportStore
from . import requests
from .reporter import LIMIT_S, keep, make
from .sending import TAKES_NONE
from .signing import Unsigned


@frozen
class Answer:
    """What the server is told: the file of a report with its record, or why there is none."""

    content: bytes = field(default=b"", repr=False)
    record: ReportRecord | None = None
    why: str = ""

    @property
    def result(self) -> str:
        return Result.FAILED.value if self.record is None else REPORT

    def to_dict(self) -> dict[str, str]:
        said = {"reason": self.why} if self.record is None else {"envelope": self.content.decode("utf-8")}
        return {"result": self.result, **said}


def make_answer(endpoint: Endpoint) -> Answer:
    """Make a report; it waits until ``handed_over``. Whatever fails is the reason in the answer."""
    host = endpoint.host
    try:
        with locked(host, paths.REPORT_LOCK, wait=LIMIT_S) as held:
            if not held:
                return Answer(why=f"another report has been under way for {LIMIT_S:.0f} s")
            record, content = make(endpoint, Occasion.REQUEST)
    except Unsigned as error:
        return Answer(why=shown(str(error)))
    except (OSError, LookupError, ValueError) as error:
        host.log(syslog.LOG_ERR, f"no report was made: {error}")
        return Answer(why=shown(f"no report was made: {error}"))
    return Answer(content, record)


def handed_over(endpoint: Endpoint, answer: Answer) -> None:
    """Note that the server has the report, unless a newer one waits by now.

    That the web server takes none is still so; the cause stays, so that it is not logged again.
    """
    host = endpoint.host
    if answer.record is not None:
        with locked(host, paths.REPORT_LOCK, wait=LIMIT_S) as held:
            now = ReportStore(host).read()
            if held and now.sequence == answer.record.sequence:
                cause = now.cause if now.cause == TAKES_NONE else ""
                keep(host, now, replace(now, taken=host.now(), waiting=False, cause=cause, why=""))
    if requests.pending(host):  # whoever found the lock held has left it to us
        requests.start(endpoint)
