# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product clamav against the real freshclam: every situation of a source is told truthfully (R1)."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import File
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav import freshclam_dat, update
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.process import Completed
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    LiveHost,
    clamav,
    database_directory,
    needs_databases,
    needs_freshclam,
    publish,
    signature,
    versions,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

pytestmark = [needs_freshclam, needs_databases]
TIMEOUT = 60.0


def test_fresh_install_makes_the_directory_and_takes_the_database(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    product = clamav(host, server.url)
    assert product.components() == ()
    assert product.update(TIMEOUT).result is Result.UPDATED
    (component,) = product.components()
    assert (component.name, component.version, component.built) == ("test", "1", 1624388302)


def test_goes_from_1_to_3_by_patches_alone_and_is_then_current_with_one_request(
    host: LocalHost, server: ScriptedServer
) -> None:
    product = clamav(host, server.url)
    publish(server, 1)
    product.update(TIMEOUT)
    publish(server, 3)
    server.forget()
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert server.seen() == [("/test.cvd", 206), ("/test-2.cdiff", 200), ("/test-3.cdiff", 200)]
    assert versions(product) == {"test": "3"}

    server.forget()
    assert product.update(TIMEOUT).result is Result.CURRENT
    (request,) = server.requests
    assert request.path == "/test.cvd"
    assert "If-Modified-Since" in request.headers
    assert request.headers["Range"] == "bytes=0-511"


def test_a_private_database_that_is_taken_whole_costs_no_other(host: LocalHost, server: ScriptedServer) -> None:
    """A whole run of freshclam removes the signed databases that it is not told of."""
    product = clamav(host, server.url, databases=["bytecode", "test"])
    publish(server, 3)
    shutil.copyfile(Path(server.folder) / "test.cvd", Path(server.folder) / "bytecode.cvd")
    product.update(TIMEOUT)
    publish(server, 4, patches=False)
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert versions(product) == {"bytecode": "3", "test": "4"}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "123"}, 123),
        pytest.param(429, {}, 4 * 3600, marks=pytest.mark.heavy),
        pytest.param(403, {}, 24 * 3600, marks=pytest.mark.heavy),
    ],
)
def test_refusal_is_a_cool_down_in_which_nothing_is_asked(
    host: LocalHost, server: ScriptedServer, status: int, headers: dict[str, str], seconds: int
) -> None:
    publish(server, 1)
    product = clamav(host, server.url)
    server.always(Answer(status, b"", headers))
    began = int(time.time())
    outcome = product.update(TIMEOUT)
    ended = int(time.time())
    assert outcome.result is Result.COOLING_DOWN
    assert outcome.until is not None
    assert began <= outcome.until - seconds <= ended

    server.script = None
    server.forget()
    again = product.update(TIMEOUT)
    assert (again.result, again.until) == (Result.COOLING_DOWN, outcome.until)
    assert server.seen() == []
    assert freshclam_dat.cooling_until(str(database_directory(host)), time.time()) == outcome.until


def test_updates_once_a_cool_down_is_over(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    product = clamav(host, server.url)
    server.always(Answer(429, b"", {"Retry-After": "2"}))
    product.update(TIMEOUT)
    server.script = None
    time.sleep(2.1)
    assert product.update(TIMEOUT).result is Result.UPDATED


def test_404_everywhere_is_a_failure_that_names_what_the_source_lacks(host: LocalHost, server: ScriptedServer) -> None:
    outcome = clamav(host, server.url).update(TIMEOUT)
    assert outcome.result is Result.FAILED
    assert outcome.why == f"the source lacks {server.url}/test.cvd (404)"
    assert freshclam_dat.cooling_until(str(database_directory(host)), time.time()) is None


def test_an_older_source_is_held_and_nothing_is_downgraded(host: LocalHost, server: ScriptedServer) -> None:
    product = clamav(host, server.url)
    publish(server, 3)
    product.update(TIMEOUT)
    publish(server, 1)
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (
        Result.HELD,
        "the source offers test 1, older than 3; nothing is downgraded",
    )
    assert versions(product) == {"test": "3"}


def test_a_private_database_whose_patch_is_missing_is_taken_whole(host: LocalHost, server: ScriptedServer) -> None:
    """One version behind, freshclam would wait for a patch that whoever made the database may never publish."""
    product = clamav(host, server.url)
    publish(server, 3)
    product.update(TIMEOUT)
    publish(server, 4, patches=False)
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.UPDATED, "")
    assert versions(product) == {"test": "4"}
    server.forget()
    assert product.update(TIMEOUT).result is Result.CURRENT
    assert [path for path, status in server.seen() if status == 200] == []


def test_an_official_database_whose_source_lacks_the_patch_is_held(
    host: LocalHost, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patch is on its way, and the whole would be a hundred times as much."""
    monkeypatch.setattr(update, "OFFICIAL", ("test",))
    product = clamav(host, server.url)
    publish(server, 3)
    product.update(TIMEOUT)
    publish(server, 4, patches=False)
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (
        Result.HELD,
        "the source announces test 4 but lacks its patch; 3 is kept",
    )


def test_three_versions_behind_without_patches_takes_the_whole_database(
    host: LocalHost, server: ScriptedServer
) -> None:
    product = clamav(host, server.url)
    publish(server, 1)
    product.update(TIMEOUT)
    publish(server, 4, patches=False)
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert versions(product) == {"test": "4"}


def test_a_dead_server_is_unreachable(host: LocalHost, dead_url: str) -> None:
    product = clamav(host, dead_url)
    outcome = product.update(TIMEOUT)
    assert outcome.result is Result.UNREACHABLE
    assert outcome.why == f"{dead_url}/test.cvd: Couldn't connect to server"
    assert not product.reachable(2)


def test_the_next_source_is_asked_when_the_first_is_dead(
    host: LocalHost, server: ScriptedServer, dead_url: str
) -> None:
    publish(server, 1)
    product = clamav(host, dead_url, server.url)
    assert product.update(TIMEOUT).result is Result.UPDATED


def test_reachable_connects_and_asks_nothing(host: LocalHost, server: ScriptedServer, dead_url: str) -> None:
    assert clamav(host, dead_url, server.url).reachable(5)
    assert server.requests == []


@pytest.mark.parametrize(
    ("in_header", "spoil", "why"),
    [
        (False, lambda whole: Answer(200, whole[:3000] + bytes(100) + whole[3100:]), "the new database is damaged"),
        pytest.param(
            False, lambda whole: Answer(200, whole, {}, 4000), "the download broke off", marks=pytest.mark.heavy
        ),
        (True, lambda whole: Answer(200, b"<html>Sign in</html>"), "no ClamAV database"),
        pytest.param(True, lambda whole: Answer(500), "answered 500", marks=pytest.mark.heavy),
    ],
    ids=["damaged", "truncated", "web page", "error"],
)
def test_a_bad_answer_fails_and_the_old_database_is_kept(
    host: LocalHost, server: ScriptedServer, in_header: bool, spoil: Callable[[bytes], Answer], why: str
) -> None:
    product = clamav(host, server.url)
    publish(server, 1)
    product.update(TIMEOUT)
    publish(server, 4, patches=False)
    whole = (Path(server.folder) / "test.cvd").read_bytes()
    server.script = lambda path, headers: (
        spoil(whole) if path.endswith(".cvd") and ("Range" in headers) == in_header else None
    )
    outcome = product.update(TIMEOUT)
    assert outcome.result is Result.FAILED
    assert why in outcome.why
    assert versions(product) == {"test": "1"}


def test_a_custom_database_has_a_digest_as_version_and_its_time(host: LocalHost, server: ScriptedServer) -> None:
    custom = Path(server.folder) / "epp.ndb"
    custom.write_text(signature("Epp.One"))
    product = clamav(host, databases=[], custom_urls=[f"{server.url}/epp.ndb"])
    assert product.update(TIMEOUT).result is Result.UPDATED
    (component,) = product.components()
    assert component.name == "epp.ndb"
    assert len(component.version) == 12
    assert component.built is not None
    assert [path for path, _status in server.seen()] == ["/epp.ndb"]

    assert product.update(TIMEOUT).result is Result.CURRENT
    custom.write_text(signature("Epp.Two"))
    os.utime(custom, (time.time() + 10, time.time() + 10))
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert product.components()[0].version != component.version


def test_a_database_that_fails_its_load_test_is_refused(host: LocalHost, server: ScriptedServer) -> None:
    custom = Path(server.folder) / "epp.ndb"
    custom.write_text(signature("Epp.One"))
    product = clamav(host, databases=[], custom_urls=[f"{server.url}/epp.ndb"])
    product.update(TIMEOUT)
    before = product.components()
    custom.write_text("Epp.Broken:0:*:no hexadecimal digits\n")
    os.utime(custom, (time.time() + 10, time.time() + 10))
    outcome = product.update(TIMEOUT)
    assert outcome.result is Result.FAILED
    assert "failed freshclam's load test" in outcome.why
    assert product.components() == before


@pytest.mark.heavy
def test_one_dead_source_of_two_is_a_failure_and_no_lost_network(
    host: LocalHost, server: ScriptedServer, dead_url: str
) -> None:
    publish(server, 1)
    product = clamav(host, server.url, custom_urls=[f"{dead_url}/epp.ndb"])
    product.update(TIMEOUT)
    outcome = product.update(TIMEOUT)
    assert outcome.result is Result.FAILED
    assert outcome.why == f"{dead_url}/epp.ndb: Couldn't connect to server"


def test_a_run_that_takes_too_long_is_ended_and_leaves_nothing(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    whole = (Path(server.folder) / "test.cvd").read_bytes()
    server.script = lambda path, headers: Answer(200, whole, {}, 4000, stalls=True) if server.requests else None
    outcome = clamav(host, server.url).update(2)
    assert (outcome.result, outcome.why) == (Result.FAILED, "freshclam took longer than 2 s and was ended")
    assert server.deserted.wait(30)
    assert [path.name for path in database_directory(host).glob("tmp.*")] == []


def test_a_database_that_freshclam_does_not_know_is_a_failure(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    product = clamav(host, server.url, databases=["test", "nosuch"])
    assert product.update(TIMEOUT).result is Result.UPDATED
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.FAILED, "freshclam knows no database nosuch")


class _ShortOfMemory(LocalHost):
    """A host whose kernel ends freshclam."""

    def run(self, argv: Sequence[str], **more: Any) -> Completed:
        return super().run(["/bin/sh", "-c", "cat >/dev/null; kill -9 $$"] if argv[0] == "freshclam" else argv, **more)


def test_a_freshclam_that_was_killed_is_told_as_such(tmp_path: Path, server: ScriptedServer) -> None:
    publish(server, 1)
    outcome = clamav(_ShortOfMemory(str(tmp_path)), server.url).update(TIMEOUT)
    assert outcome == Outcome(Result.FAILED, "freshclam was killed by signal 9 (often out of memory)")


def test_a_server_that_forbids_the_names_that_only_private_mirrors_have(
    host: LocalHost, server: ScriptedServer
) -> None:
    publish(server, 1)
    server.script = lambda path, headers: Answer(403) if path.endswith(".cld") else None
    product = clamav(host, server.url)
    assert product.update(TIMEOUT).result is Result.UPDATED
    publish(server, 3)
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert product.update(TIMEOUT).result is Result.CURRENT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become the databases' owner")
def test_root_gives_way_to_the_databases_owner_on_a_live_host(server: ScriptedServer) -> None:
    try:
        owner = pwd.getpwnam("clamav")
    except KeyError:
        pytest.skip("there is no user clamav")
    publish(server, 1)
    # The folder of the test itself is closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        database = Path(folder) / "lib" / "clamav"
        product = clamav(LiveHost(Path(folder)), server.url, database_directory=str(database), database_owner="clamav")
        (entry,) = product.entries()
        assert isinstance(entry, File)
        product.host.write(entry.path, entry.content, mode=entry.mode)
        assert product.update(TIMEOUT).result is Result.UPDATED
        assert {path.stat().st_uid for path in (database, database / "test.cvd")} == {owner.pw_uid}
        # What the converge has put in place is what freshclam was given: no other configuration was made.
        assert not (Path(folder) / "run").exists()


def test_a_server_at_its_cap_is_asked_again(host: LocalHost, server: ScriptedServer) -> None:
    """N3: freshclam tries twice within five seconds and gives up; it stores no cool-down for a 503."""
    publish(server, 1)
    turned_away: list[str] = []

    def busy(path: str, _headers: dict[str, str]) -> Answer | None:
        turned_away.append(path)
        return Answer(503, b"", {"Retry-After": "1"}) if len(turned_away) <= 2 else None

    server.script = busy
    assert clamav(host, server.url).update(TIMEOUT).result is Result.UPDATED


@pytest.mark.heavy
def test_a_server_that_stays_at_its_cap_is_a_failure_in_time(host: LocalHost, server: ScriptedServer) -> None:
    server.always(Answer(503, b"", {"Retry-After": "1"}))
    outcome = clamav(host, server.url).update(22.0)
    assert (outcome.result, outcome.until) == (Result.FAILED, None)
    assert "answered 503" in outcome.why
    assert len(server.requests) >= 4


def test_missing_freshclam_is_a_failure(
    host: LocalHost, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    outcome = clamav(host, server.url).update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.FAILED, "freshclam is not installed")
