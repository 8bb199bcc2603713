# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports are taken in batches, each once, whatever lies in the inbox and whoever is killed (R4)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import MAX_SIZE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import parser
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import reports as command_line
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports import ingest as ingestion
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.inbox import Inbox
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.ingest import ingest

from .conftest import AT, HostKey, Server, document

TAKEN = "SELECT count FROM report_counts WHERE code = 'taken'"
REFUSED = "SELECT endpoint, code, count FROM refused_reports ORDER BY endpoint, code"


def test_a_good_report_is_on_record_and_tells_what_the_endpoint_has(server: Server, key: HostKey) -> None:
    server.put("n1", key.packed(document("n1", 5)))
    assert server.ingest().to_dict() == {"taken": 1, "refused": {}, "stuck": 0}
    assert server.left() == []
    ((endpoint, sequence, at, content),) = server.rows("SELECT endpoint, sequence, at, content FROM endpoint_reports")
    assert (endpoint, sequence, at, content.encode()) == ("n1", 5, AT, document("n1", 5))
    assert server.rows("SELECT endpoint, product, versions FROM holdings") == [
        ("n1", "files", '{"patterns/a.dat": "2"}')
    ]


def test_what_a_report_leaves_out_is_not_taken_for_missing(server: Server, key: HostKey) -> None:
    server.put("n1", key.packed(document("n1", 1)))
    server.ingest()
    server.put("n1", key.packed(document("n1", 2, components=[], truncated=True)))
    server.ingest()
    assert server.rows("SELECT versions FROM holdings") == [('{"patterns/a.dat": "2"}',)]
    server.put("n1", key.packed(document("n1", 3, components=[])))
    server.ingest()
    assert server.rows("SELECT versions FROM holdings") == [("{}",)], "it has nothing, and says so"


def test_a_product_that_has_a_definition_is_known_by_the_registration(server: Server, keys: dict[str, HostKey]) -> None:
    server.register({"name": "n1", "host_key": keys["ed25519"].public, "product": "rkhunter"})
    for number, product in enumerate(("rkhunter", "other", ""), 1):
        server.put("n1", keys["ed25519"].packed(document(sequence=number, product=product)))
        server.ingest()
    assert server.rows("SELECT product, versions FROM holdings") == [("rkhunter", '{"patterns/a.dat": "2"}')]


def test_a_refusal_is_counted_until_the_next_good_report(server: Server, keys: dict[str, HostKey]) -> None:
    own, other = keys["ed25519"], keys["other"]
    for _time in range(2):
        server.put("n1", other.packed(document("n1", 5)))
        server.put("n2", own.packed(document("n1", 5)))
        assert server.ingest().refused == {"other_endpoint": 1, "wrong_key": 1}
    assert server.rows(REFUSED) == [("n1", "wrong_key", 2), ("n2", "other_endpoint", 2)]
    server.put("n1", own.packed(document("n1", 5)))
    assert server.ingest().taken == 1
    assert server.rows(REFUSED) == [("n2", "other_endpoint", 2)]
    assert server.rows("SELECT code, count FROM report_counts ORDER BY code") == [
        ("other_endpoint", 2),
        ("taken", 1),
        ("wrong_key", 2),
    ]


def test_numbers_only_rise_and_begin_anew_with_another_key(server: Server, keys: dict[str, HostKey]) -> None:
    own, other = keys["ed25519"], keys["other"]
    for sequence, refused in ((7, {}), (7, {"replayed": 1}), (6, {"replayed": 1}), (8, {})):
        server.put("n1", own.packed(document("n1", sequence)))
        assert server.ingest().refused == refused
    server.register({"name": "n1", "host_key": other.public})
    server.put("n1", other.packed(document("n1", 2)))
    assert server.ingest().taken == 1
    server.put("n1", other.packed(document("n1", 2)))
    assert server.ingest().refused == {"replayed": 1}


def test_a_report_waits_for_the_key_of_its_endpoint_to_be_pinned(server: Server, key: HostKey) -> None:
    """A first converge pins the key at its end, when the endpoint has reported already."""
    server.put("n3", key.packed(document("n3", 5)))
    assert server.ingest().refused == {"no_pinned_key": 1}
    assert server.ingest().to_dict() == {"taken": 0, "refused": {}, "stuck": 0}, "it is counted once"
    assert server.rows(REFUSED) == [("n3", "no_pinned_key", 1)]
    server.put("n3", key.packed(document("n3", 6)))
    assert server.ingest().refused == {"no_pinned_key": 1}, "a newer one takes its place"
    server.register({"name": "n3", "host_key": key.public})
    assert server.ingest().to_dict() == {"taken": 1, "refused": {}, "stuck": 0}
    assert server.rows("SELECT sequence FROM endpoint_reports WHERE endpoint = 'n3'") == [(6,)]
    assert (server.rows(REFUSED), server.left()) == ([], [])


def test_who_waits_for_a_key_and_leaves_the_registry_leaves_nothing(server: Server, key: HostKey) -> None:
    server.put("n3", key.packed(document("n3", 5)))
    server.ingest()
    server.register(absent=["n3"])
    assert server.ingest().refused == {"unregistered": 1}
    assert server.left() == []


def test_names_that_nobody_has_registered_make_one_row(server: Server, key: HostKey) -> None:
    for name in ("x1", "x2", ".hidden", "a\nb", "n\x1b[2J"):
        server.put(name, key.packed(document("x1", 5)))
    (server.inbox / os.fsdecode(b"\xff\xfe")).touch()
    assert server.ingest().refused == {"unregistered": 6}
    assert server.rows(REFUSED) == [("", "unregistered", 6)]
    assert server.left() == []
    assert all(
        line.isprintable() for line in Path(server.host.real("/var/log/epp-server.log")).read_text().splitlines()
    )


def test_whatever_the_web_server_puts_there_is_refused_and_removed(
    server: Server, key: HostKey, tmp_path: Path
) -> None:
    """A link to a good report, a fifo that would block, directories, too many bytes."""
    secret = tmp_path / "elsewhere"
    secret.write_bytes(key.packed(document("n1", 5)))
    names = ("link", "fifo", "empty", "full", "large", "n1")
    server.register(*({"name": name, "host_key": key.public} for name in names))
    (server.inbox / "link").symlink_to(secret)
    os.mkfifo(server.inbox / "fifo")
    (server.inbox / "empty").mkdir()
    (server.inbox / "full/deep").mkdir(parents=True)
    (server.inbox / "full/deep/file").touch()
    (server.inbox / "large").write_bytes(b"x" * (20 * MAX_SIZE))
    server.put("n1", key.packed(document("n1", 5)))
    assert server.ingest().to_dict() == {"taken": 1, "refused": {"malformed": 4, "too_large": 1}, "stuck": 0}
    assert server.left() == []
    assert secret.exists()


def test_what_was_recorded_when_it_was_ended_is_neither_lost_nor_taken_twice(
    server: Server, key: HostKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(BaseException):
        pass

    def end(*_arguments: Any) -> None:
        raise Ended

    for name in ("n1", "n2"):
        server.put(name, key.packed(document(name, 5)))
    for target, what in ((ingestion, "take"), (Inbox, "drop")):
        with monkeypatch.context() as patch:
            patch.setattr(target, what, end)
            with pytest.raises(Ended):
                ingest(server.host)
    assert server.rows(TAKEN) == [(2,)]
    server.put("n1", key.packed(document("n1", 6)))
    assert server.ingest().to_dict() == {"taken": 1, "refused": {}, "stuck": 0}
    assert server.rows(TAKEN) == [(3,)]
    assert server.left() == []


@pytest.mark.heavy
def test_a_process_that_is_killed_again_and_again_takes_every_report_once(
    server: Server, key: HostKey, tmp_path: Path
) -> None:
    program = tmp_path / "epp-server"
    program.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    names = [f"e{number}" for number in range(1600)]
    server.register(*({"name": name, "host_key": key.public} for name in names))
    server.put_all(key, {name: document(name, 5) for name in names})
    command = [sys.executable, "-I", str(program), "--root", server.host.root, "ingest", "--json"]
    for delay in (0.1, 0.2, 0.3, 0.4, 0.5, 0.7):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            time.sleep(delay)
            process.kill()
    last = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(last.stdout)["refused"] == {}
    assert server.left() == []
    assert server.rows(TAKEN) == [(len(names),)]
    assert server.rows("SELECT count(*), min(sequence) FROM endpoint_reports") == [(len(names), 5)]
    assert server.rows(REFUSED) == []


def test_two_at_once_are_one(server: Server) -> None:
    with locked(server.host, paths.INGEST_LOCK, wait=0):
        assert ingest(server.host) is None


def test_without_an_inbox_there_is_nothing_to_do(server: Server) -> None:
    server.inbox.rmdir()
    assert server.ingest().taken == 0


def test_who_waits_takes_what_arrives_meanwhile(server: Server, key: HostKey, monkeypatch: pytest.MonkeyPatch) -> None:
    arriving = [key.packed(document("n1", 5)), key.packed(document("n1", 6))]

    def arrive(_seconds: float) -> None:
        if arriving:
            server.put("n1", arriving.pop(0))

    monkeypatch.setattr(ingestion.time, "sleep", arrive)
    report = ingest(server.host, wait=0.2)
    assert report is not None
    assert report.taken == 2


def test_the_command_tells_what_was_taken_and_the_status_what_was_refused(
    server: Server, key: HostKey, capsys: pytest.CaptureFixture[str]
) -> None:
    server.put("n1", key.packed(document("n1", 5)))
    server.put("n2", b"no report")
    server.put("x", b"no report")
    told = []
    for command in (["ingest"], ["ingest", "--json"], ["status"]):
        assert parser.main(["--root", server.host.root, *command]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == "ingest: 1 taken; refused: 1 malformed, 1 unregistered\n"
    assert json.loads(told[1]) == {"running": False, "taken": 0, "refused": {}, "stuck": 0}
    assert "reports today 1 malformed, 1 taken, 1 unregistered" in " ".join(told[2].split())
    assert "names that are not registered: unregistered, 1 times" in told[2]


def test_who_waits_puts_a_failure_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd starts it again at once as long as there is a report."""
    pauses: list[float] = []
    monkeypatch.setattr(command_line.time, "sleep", pauses.append)
    monkeypatch.setattr(command_line, "ingest", lambda _host, wait: os.listdir(f"/nonexistent/{wait}"))
    for words, paused in ((["--wait", "2"], 1), ([], 0)):
        assert parser.main(["--root", server.host.root, "ingest", *words]) != 0
        assert len(pauses) == paused
        pauses.clear()


def test_a_report_of_the_future_becomes_one_of_now_when_the_clock_is_put_right(server: Server, key: HostKey) -> None:
    """Else its endpoint would not be silent for years."""
    server.put("n1", key.packed(document("n1", 5)))
    server.ingest()
    with closing(open_database(server.host)) as connection:
        connection.execute("UPDATE endpoint_reports SET received = 9e9")
        CampaignStore(connection).clamp_deadlines(1000.0, RetryPolicy())
    assert server.rows("SELECT received FROM endpoint_reports") == [(1000.0,)]


def test_counts_are_kept_by_day_for_two_years_and_their_sum_for_ever(server: Server, key: HostKey) -> None:
    server.put("n1", key.packed(document("n1", 5)))
    server.ingest()
    with closing(open_database(server.host)) as connection:
        for day in ("2020-01-01", "2020-01-02"):
            connection.execute("INSERT INTO report_counts VALUES (?, 'taken', 9)", (day,))
    server.ingest()
    assert server.rows(f"{TAKEN} ORDER BY day") == [(18,), (1,)]
    with closing(open_database(server.host)) as connection:
        connection.execute("INSERT INTO report_counts VALUES ('2020-01-03', 'taken', 2)")
    server.ingest()
    assert server.rows(f"{TAKEN} ORDER BY day") == [(20,), (1,)]


def section(product: str, version: str, **more: Any) -> dict[str, Any]:
    return {"product": product, "components": [{"name": "rules", "version": version, "built": None}], **more}


def test_what_an_endpoint_has_of_each_of_its_products_is_on_record(server: Server, key: HostKey) -> None:
    holdings = "SELECT product, versions FROM holdings WHERE endpoint = 'n1' ORDER BY product"
    server.register({"name": "n1", "product": "files", "further": ["suricata", "rkhunter"]})
    products = [section("suricata", "7"), section("rkhunter", "3"), section("made-up", "1")]
    server.put("n1", key.packed(document("n1", 1, products=products)))
    assert server.ingest().taken == 1
    first = ("files", '{"patterns/a.dat": "2"}')
    assert server.rows(holdings) == [first, ("rkhunter", '{"rules": "3"}'), ("suricata", '{"rules": "7"}')]
    server.put("n1", key.packed(document("n1", 2, products=[section("suricata", "8", truncated=True)])))
    server.ingest()
    assert server.rows(holdings)[2] == ("suricata", '{"rules": "7"}')
    server.register({"name": "n1", "further": ["suricata"]})
    server.put("n1", key.packed(document("n1", 3, products=[section("suricata", "8")])))
    server.ingest()
    assert server.rows(holdings) == [first, ("suricata", '{"rules": "8"}')]
