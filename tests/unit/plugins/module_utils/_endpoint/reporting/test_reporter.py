# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report is signed, kept and sent; one that is not taken waits for the next, and nothing fails for it (R4)."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting import reporter, requests
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting.reporter import catch_up, report
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting.sending import deliver
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Host
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer

from ..conftest import Sandbox
from ..sync.conftest import Managed
from .conftest import PLACE, Reporting, make_host_key

FOUR_KILOBYTES = 4096


def test_a_report_tells_the_status_and_is_signed_by_the_host_s_key(reporting: Reporting) -> None:
    reporting.sandbox.runner().run(Trigger.MANUAL)
    reporting.server.forget()
    report(reporting.host, Occasion.RUN)
    (request,) = reporting.server.requests
    assert (request.method, request.path, request.status) == ("PUT", PLACE, 204)
    assert len(request.body) + len(str(request.headers)) < FOUR_KILOBYTES
    (told,) = reporting.sent()
    assert (told.endpoint, told.occasion, told.sequence, told.drift) == ("n1", Occasion.RUN, told.at, None)
    assert told.status["last"]["manual"]["result"] == "updated"
    assert told.status["configuration"]["tree_serial"] == 1
    assert "policy" not in told.status
    assert reporting.kept() == told
    assert stat.S_IMODE((reporting.sandbox.root / paths.REPORT[1:]).stat().st_mode) == 0o644


def test_the_status_tells_of_the_newest_report(reporting: Reporting) -> None:
    assert reporting.managed.status()["report"] == {
        "sequence": None, "occasion": None, "made": None, "taken": None, "waiting": False, "reason": "",
    }  # fmt: skip
    report(reporting.host, Occasion.REQUEST)
    noon = "2026-11-22T12:00:00Z"
    expected = {
        "sequence": 1795348800, "occasion": "request", "made": noon, "taken": noon, "waiting": False, "reason": "",
    }  # fmt: skip
    assert reporting.managed.status()["report"] == expected
    published = reporting.host.read(paths.STATUS)
    assert published is not None
    assert b'"sequence": 1795348800' in published


def test_the_sequence_rises_whatever_the_clock_does(reporting: Reporting) -> None:
    for moved in (0, 0, 60, -86400, 0):
        reporting.host.clock += moved
        report(reporting.host, Occasion.RUN)
    noon = 1795348800
    assert [told.sequence for told in reporting.sent()] == [noon, noon + 1, noon + 60, noon + 61, noon + 62]


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"sequence": "x"', b"\xff"])
def test_the_sequence_rises_though_the_record_is_lost(reporting: Reporting, record: bytes) -> None:
    for _report in range(3):
        report(reporting.host, Occasion.RUN)
        reporting.host.write(paths.REPORT_RECORD, record)
    sequences = [told.sequence for told in reporting.sent()]
    assert sequences == [sequences[0], sequences[0] + 1, sequences[0] + 2]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        *((status, "takes_none") for status in (403, 404, 405, 501)),
        *((status, "unreachable") for status in (301, 413, 500, 503)),
    ],
)
def test_a_report_that_is_not_taken_waits_and_is_told_once(reporting: Reporting, status: int, cause: str) -> None:
    reporting.server.always(Answer(status, headers={"Retry-After": "1", "Location": "/elsewhere"}))
    for occasion in (Occasion.RUN, Occasion.SWITCH):
        report(reporting.host, occasion)
        assert (reporting.record.waiting, reporting.record.cause, reporting.record.taken) == (True, cause, None)
    assert [request.method for request in reporting.server.requests] == ["PUT", "PUT"]
    words = {"takes_none": "the update server takes no reports", "unreachable": "the report could not be delivered"}
    assert reporting.logged(words[cause]) == 1
    if cause == "takes_none":
        assert reporting.record.why == (
            f"the update server takes no reports: {reporting.server.url}{PLACE} answered {status}"
        )


def test_what_another_process_has_just_sent_is_not_sent_again(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report waited when this one looked, and the other one had sent it when the lock was free."""
    reporting.server.always(Answer(500))
    report(reporting.host, Occasion.SWITCH)
    reporting.server.script = None
    reporting.server.forget()

    @contextmanager
    def late(host: Host, path: str, *, wait: float) -> Iterator[bool]:
        monkeypatch.setattr(reporter, "locked", locked)
        catch_up(reporting.host)
        with locked(host, path, wait=wait) as held:
            yield held

    monkeypatch.setattr(reporter, "locked", late)
    catch_up(reporting.host)
    assert len(reporting.sent()) == 1


def test_the_newest_alone_is_sent_once_the_server_is_back(reporting: Reporting) -> None:
    reporting.server.always(Answer(500))
    report(reporting.host, Occasion.RUN)
    report(reporting.host, Occasion.ROAMING)
    catch_up(reporting.host)
    waiting = reporting.kept()
    assert waiting is not None
    reporting.server.script = None
    reporting.server.forget()
    catch_up(reporting.host)
    catch_up(reporting.host)
    assert reporting.sent() == [waiting]
    assert waiting.occasion is Occasion.ROAMING
    assert (reporting.record.waiting, reporting.record.why) == (False, "")
    assert reporting.logged("reports are made and taken again") == 1


def test_a_server_that_is_gone_or_mute_keeps_nobody(reporting: Reporting) -> None:
    server = reporting.sandbox.endpoint.document.server
    assert server is not None
    reporting.server.always(Answer(200, stalls=True, body=b"."))
    assert deliver(reporting.host, server, "n1", b"x", limit=2).cause == ""  # its status was enough
    given_up = threading.Event()
    reporting.server.script = lambda path, headers: Answer(200 if given_up.wait(60) else 500)
    assert deliver(reporting.host, server, "n1", b"x", limit=0.5).cause == "unreachable"
    given_up.set()
    reporting.server.stop()
    report(reporting.host, Occasion.RUN)
    assert reporting.record.cause == "unreachable"


def test_without_a_host_key_there_is_no_report_and_the_status_says_why(managed: Managed) -> None:
    told = Reporting(managed)
    for _run in range(2):
        report(told.host, Occasion.RUN)
    assert managed.status()["report"]["reason"] == (
        "this host has no SSH host key to sign reports with: make one (ssh-keygen -A)"
    )
    assert told.kept() is None
    assert managed.server.requests == []
    assert told.logged("no SSH host key") == 1
    make_host_key(managed.sandbox, "rsa")
    report(told.host, Occasion.RUN)
    assert told.kept() is not None


def test_a_key_that_can_t_sign_is_told(reporting: Reporting) -> None:
    (reporting.sandbox.root / "etc/ssh/ssh_host_ed25519_key").write_text("no key\n")
    report(reporting.host, Occasion.RUN)
    assert (reporting.record.cause, reporting.kept(), reporting.server.requests) == ("not_signed", None, [])


def test_a_standalone_endpoint_keeps_its_report_and_sends_nothing(managed: Managed, sandbox: Sandbox) -> None:
    sandbox.converge()
    make_host_key(sandbox)
    told = Reporting(managed)
    report(told.host, Occasion.SWITCH)
    kept = told.kept()
    assert kept is not None
    assert (kept.occasion, kept.status["configuration"]) == (Occasion.SWITCH, None)
    assert (told.record.waiting, told.record.cause, managed.server.requests) == (False, "", [])


def test_what_is_requested_while_another_report_is_sent_is_reported_next(reporting: Reporting) -> None:
    def switched(_path: str, _headers: dict[str, str]) -> Answer | None:
        reporting.server.script = None
        report(reporting.host, Occasion.SWITCH)
        return None

    reporting.server.script = switched
    report(reporting.host, Occasion.RUN)
    assert [told.occasion for told in reporting.sent()] == [Occasion.RUN, Occasion.SWITCH]
    assert not requests.pending(reporting.host)


def test_a_request_outlives_a_holder_of_the_lock_that_died(reporting: Reporting) -> None:
    with locked(reporting.host, paths.REPORT_LOCK, wait=0):
        report(reporting.host, Occasion.SWITCH)
    assert reporting.sent() == []
    catch_up(reporting.host)
    assert [told.occasion for told in reporting.sent()] == [Occasion.SWITCH]


def test_a_converge_leaves_no_drift_and_other_occasions_do_not_look(reporting: Reporting) -> None:
    report(reporting.host, Occasion.CONVERGE)
    (told,) = reporting.sent()
    assert (told.drift, told.drift_count) == ((), 0)
    assert reporting.record.looked == told.at


def test_removal_leaves_nothing_of_it_and_a_late_report_writes_nothing(reporting: Reporting) -> None:
    report(reporting.host, Occasion.RUN)
    remove(reporting.host, check=False)
    report(reporting.host, Occasion.RUN)
    left = [path for path in reporting.sandbox.root.rglob("*") if path.is_file() and "/etc/ssh/" not in str(path)]
    assert left == []
    assert len(reporting.sent()) == 1
