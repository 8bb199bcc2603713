# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daily waking reports once a day, with what a converge would mend; otherwise what it learned, or what waits."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.sync_result import SyncResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting.daily import occasion_of, report_due
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting.drift import MOST, find_drift
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting.reporter import report
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer

from .conftest import Reporting

DAY = 86400
UNITS = "etc/systemd/system"


def waken(reporting: Reporting, answered: SyncResult | None = None) -> list[Occasion]:
    report_due(reporting.sandbox.endpoint, answered)
    return [told.occasion for told in reporting.sent()]


def test_it_is_made_once_a_day_at_the_endpoint_s_own_second(reporting: Reporting) -> None:
    assert waken(reporting) == [Occasion.DAILY]
    assert waken(reporting) == []
    made = []
    for _hour in range(48):
        reporting.host.clock += 3600
        made += waken(reporting)
    assert made == [Occasion.DAILY] * 2


def test_a_converge_has_looked_and_the_next_instant_looks_again(reporting: Reporting) -> None:
    report(reporting.host, Occasion.CONVERGE)
    reporting.sent()
    assert waken(reporting) == []
    reporting.host.clock += DAY
    assert waken(reporting) == [Occasion.DAILY]


@pytest.mark.parametrize(
    ("answered", "occasions"),
    [
        (SyncResult.ADOPTED, [Occasion.ADOPTION]),
        (SyncResult.ROLLBACK, [Occasion.REFUSAL]),
        (SyncResult.UNCHANGED, []),
        (SyncResult.UNREACHABLE, []),
        (SyncResult.FAILED, []),
    ],
)
def test_an_adoption_and_a_refusal_are_reported(
    reporting: Reporting, answered: SyncResult, occasions: list[Occasion]
) -> None:
    waken(reporting)
    assert waken(reporting, answered) == occasions


@pytest.mark.parametrize(
    ("told", "occasion"),
    [
        ("rollback", Occasion.ADOPTION),
        ("failed", Occasion.ADOPTION),
        ("adopted", None),
        ("unreachable", None),
        ("", None),
    ],
)
def test_the_end_of_a_refusal_is_reported_though_nothing_is_new(told: str, occasion: Occasion | None) -> None:
    assert occasion_of(SyncResult.UNCHANGED, told) is occasion
    assert occasion_of(SyncResult.UNREACHABLE, told) is None


def test_it_sends_what_waits(reporting: Reporting) -> None:
    reporting.server.always(Answer(503))
    assert waken(reporting) == []
    reporting.server.script = None
    assert waken(reporting) == [Occasion.DAILY]


def test_it_tells_what_a_converge_would_mend(reporting: Reporting) -> None:
    units = reporting.sandbox.root / UNITS
    (units / "epp-update.timer").unlink()
    (units / "epp-scan.service").write_text("[Service]\n")
    (units / "epp-sync.timer").chmod(0o666)
    (reporting.sandbox.root / "etc/cron.d").mkdir(parents=True)
    (reporting.sandbox.root / "etc/cron.d/epp-autoupdate").write_text("# left\n")
    report_due(reporting.sandbox.endpoint, None)
    (told,) = reporting.sent()
    assert set(told.drift or ()) == {
        f"/{UNITS}/epp-update.timer is missing",
        f"/{UNITS}/epp-scan.service has another content",
        f"/{UNITS}/epp-sync.timer has the mode 0666 instead of 0644",
        "/etc/cron.d/epp-autoupdate should not be there",
    }
    assert told.drift_count == 4


def test_to_look_for_drift_writes_nothing_and_asks_nobody(reporting: Reporting) -> None:
    (reporting.sandbox.root / UNITS / "epp-update.timer").unlink()
    before = reporting.sandbox.tree()
    assert find_drift(reporting.host) == ((f"/{UNITS}/epp-update.timer is missing",), 1)
    assert reporting.sandbox.tree() == before
    assert reporting.server.requests == []


def test_no_more_than_twenty_differences_are_told(reporting: Reporting) -> None:
    for number, unit in enumerate(sorted((reporting.sandbox.root / UNITS).iterdir())):
        if unit.is_file():
            unit.write_text(f"# {number}\n")
            (unit.parent / f"{unit.name}.d").mkdir()
    for name in ("timers", "sockets"):
        for link in (reporting.sandbox.root / UNITS / f"{name}.target.wants").glob("*"):
            link.unlink()
    reporting.host.write("/etc/cron.d/epp-autoupdate", b"# left\n")
    drift, count = find_drift(reporting.host)
    assert len(drift) == MOST < count


def test_after_a_converge_there_is_no_drift(reporting: Reporting) -> None:
    assert find_drift(reporting.host) == ((), 0)
