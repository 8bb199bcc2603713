# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents that the info modules return are documented to the leaf, no more and no less (R2)."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint_keys import ProductKind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.store import (
    RunRecord,
    StateStore,
    TrialRecord,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.modules import (
    audit_info,
    client_tree,
    endpoint_info,
    fleet_info,
    fleet_report,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._server.reports.conftest import (
    HostKey,
    document,
)

from .conftest import Modules
from .documented import Documented
from .instants import of_another_form

_INSTALLED = (
    b"Package: clamav\nStatus: install ok installed\nMaintainer: a <a@example.com>\nArchitecture: all\n"
    b"Version: 1.4\nDescription: stands for a package\n"
)


@dataclass(frozen=True)
class Held:
    """An endpoint whose update takes as long as a file lies there, and leaves a line whenever it is looked at."""

    modules: Modules

    def place(self, name: str) -> Path:
        return self.modules.work / name

    def enroll(self, *, probe: tuple[str, ...] = (), **policy: Any) -> None:
        hold, looks, offered, installed = map(self.place, ("hold", "looks", "offered", "installed"))
        work = f"touch {self.place('began')}; while test -e {hold}; do sleep 0.02; done; cp {offered} {installed}"
        command = {"update": ["/bin/sh", "-c", work]}
        command["version"] = ["/bin/sh", "-c", f"cat {installed} && echo look >>{looks}"]
        command["scan"] = ["/bin/sh", "-c", "echo '/planted: Test-Signature FOUND'; exit 1"]
        done = self.modules.enroll(command=command, ordinal=3, policy=policy, probe={"command": list(probe)})
        assert not done.get("failed"), done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        root = self.modules.root
        return subprocess.Popen([root / "usr/local/bin/epp-agent", "--root", root, *words], stdout=subprocess.DEVNULL)

    def await_file(self, name: str) -> None:
        deadline = time.monotonic() + 60
        while not self.place(name).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def status(self) -> dict[str, Any]:
        return self.modules.run(endpoint_info)


def statuses_of_a_standalone_endpoint(held: Held) -> Iterator[dict[str, Any]]:
    """Before anything, while an update runs, after one that joined it and a scan, and under each kind of schedule.

    One of them has blackouts, which swallow its windows.
    """
    held.enroll(privileges={"toggle_scheduled_update": True})
    yield held.status()
    held.place("hold").touch()
    held.place("offered").write_text("2\n")
    first = held.start("update-now")
    held.await_file("began")
    yield held.status()
    held.place("looks").unlink()
    joining = held.start("run", "--trigger", "download")
    held.await_file("looks")  # it found the other one at work, and waits for it
    held.place("hold").unlink()
    # As on a live host; in a directory that stands for one, nothing is tried.
    trial = TrialRecord(time.time(), ("the agent can't be started",))
    StateStore(LocalHost(str(held.modules.root))).change(lambda state: replace(state, trial=trial))
    (held.modules.root / "home").mkdir()  # of the paths to scan, only those that exist are
    assert [one.wait(60) for one in (first, joining, held.start("scan"), held.start("schedule", "disable"))] == [0] * 4
    yield held.status()
    held.enroll(probe=("/bin/false",))
    held.place("offered").write_text("3\n")
    assert held.start("update-now").wait(60) == 1
    yield held.status()
    held.enroll(schedule={"frequency": "hours", "interval": 4}, sources={"proxy": "http://127.0.0.1:9"})
    yield held.status()
    noon = {"name": "noon", "from": "11:00", "to": "15:00"}
    night = {"days": ["monday"], "from": "01:00", "to": "02:00", "timezone": "Europe/Berlin"}
    held.enroll(schedule={"blackouts": [noon, night]})
    yield held.status()
    held.enroll(schedule={"frequency": "weekly", "day": "friday", "timezone": "Europe/Berlin"})
    installed = held.modules.root / "etc/epp-autoupdate/endpoint.json"
    installed.write_text(installed.read_text().replace("Europe/Berlin", "Mars/Base_1"))
    yield held.status()
    yield status_of_several_products(held)
    yield status_with_packages(held)


def status_of_several_products(held: Held) -> dict[str, Any]:
    """Of an endpoint with two products."""
    definition = {
        "format": 1,
        "title": "Rules",
        "components": {"rules": {"command": ["/bin/echo", "1"], "pattern": "(?P<version>[0-9]+)"}},
        "update": [{"command": ["/bin/true"]}],
    }
    command = {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}
    done = held.modules.enroll(products=["command", "ids"], product_definitions={"ids": definition}, command=command)
    assert not done.get("failed"), done
    assert held.start("update-now").wait(60) == 0
    found = held.status()
    assert [one["product"] for one in found["status"]["products"]] == ["command", "ids"]
    assert found["status"]["products"][1]["last"]["manual"]["result"] == "current"
    return found


def status_with_packages(held: Held) -> dict[str, Any]:
    """Of an endpoint whose engine is packages that go through rings, after a probe of new ones has failed."""
    root, host = held.modules.root, LocalHost(str(held.modules.root))
    for name in ("usr/bin/apt-get", "usr/bin/dpkg-query", "usr/bin/freshclam"):
        host.write(f"/{name}", b"")
    host.write("/var/lib/dpkg/status", _INSTALLED)
    sunday = {"name": "sunday", "days": ["sunday"], "from": "02:00", "to": "05:00", "timezone": "Europe/Berlin"}
    components = {"scope": "all", "engine_packages": True, "engine_windows": [sunday], "engine_versions": ["1.4"]}
    done = held.modules.enroll(product="clamav", policy={"components": components})
    assert not done.get("failed"), done
    run = RunRecord("failed", "", time.time(), time.time(), changed=("engine",), kind="probe")
    tried = {"engine_tried": "1.4", "engine_tried_at": time.time(), "engine_outcome": run}
    StateStore(LocalHost(str(root))).change(lambda state: replace(state, engine=run, **tried))
    document = root / "etc/epp-autoupdate/endpoint.json"
    document.write_text(json.dumps({**json.loads(document.read_text()), "channel": "broad"}))
    return held.status()


def statuses_of_a_managed_endpoint(fleet: Modules, web: ScriptedServer) -> Iterator[dict[str, Any]]:
    """After it adopted its configuration, updated and reported, and while its source is left alone."""
    key = fleet.managed_root / "etc/ssh/ssh_host_ed25519_key"
    key.parent.mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    web.places.add("/reports/managed")
    program = [str(fleet.managed_root / "usr/local/bin/epp-agent"), "--root", str(fleet.managed_root)]
    subprocess.run([*program, "update-now"], stdout=subprocess.DEVNULL, check=True)
    yield fleet.run(endpoint_info, installroot=str(fleet.managed_root))
    web.always(Answer(429, headers={"Retry-After": "600"}))
    subprocess.run([*program, "run", "--trigger", "reconnect"], stdout=subprocess.DEVNULL, check=True)
    subprocess.run([*program, "update-now"], stdout=subprocess.DEVNULL, check=True)
    yield fleet.run(endpoint_info, installroot=str(fleet.managed_root))


def test_the_status_is_documented_to_the_leaf(fleet: Modules, web: ScriptedServer) -> None:
    documented = Documented(endpoint_info)
    shown = [*statuses_of_a_standalone_endpoint(Held(fleet)), *statuses_of_a_managed_endpoint(fleet, web)]
    for one in shown:
        documented.take(one)
    assert (documented.wrong, documented.unseen()) == ([], [])
    assert documented.names("status", "last") == {trigger.value for trigger in Trigger}
    assert of_another_form(shown) == []


def report_of(name: str, fleet: Modules) -> None:
    """One report that the server takes, and one that it refuses."""
    key = HostKey.make(fleet.work / "host-key", "ed25519")
    fleet.on_server(client_tree, endpoints=[{"name": name, "host_key": key.public}])
    inbox = fleet.server_root / paths.INBOX[1:]
    for content, taken in ((key.packed(document(name)), 1), (b"no report", 0)):
        (inbox / name).write_bytes(content)
        assert fleet.ask("ingest")["taken"] == taken


def test_what_is_known_of_a_fleet_is_documented_to_the_leaf(fleet: Modules, web: ScriptedServer) -> None:
    documented = Documented(fleet_info)
    shown = [fleet.on_server(fleet_info)]
    fleet.ask("keys", "rotate")
    web.always(Answer(429, headers={"Retry-After": "600"}))
    assert not fleet.serve(components={"files": {"url": f"{web.url}/files.zip"}}).get("failed")
    assert [one["result"] for one in fleet.ask("fetch")] == ["cooling_down"]
    report_of("n1", fleet)
    shown.append(fleet.on_server(fleet_info))
    for one in shown:
        documented.take(one)
    assert (documented.wrong, documented.unseen()) == ([], [])
    assert documented.names("status", "fetches") == {kind.value for kind in ProductKind}
    assert of_another_form(shown) == []


def test_what_a_report_returns_is_documented_to_the_leaf(fleet: Modules, web: ScriptedServer) -> None:
    documented = Documented(fleet_report)
    web.always(Answer(404))
    assert not fleet.serve(components={"files": {"url": f"{web.url}/files.zip"}}).get("failed")
    with pytest.raises(subprocess.CalledProcessError):
        fleet.ask("fetch")
    before = fleet.files_of_server()
    told = fleet.on_server(fleet_report, check=True)
    assert [one["name"] for one in told["alarms"]] == ["fetch"]
    documented.take(told)
    assert (documented.wrong, documented.unseen()) == ([], [])
    assert told["html"].startswith("<!DOCTYPE html>")
    assert (told["changed"], fleet.files_of_server()) == (False, before)


def test_the_audit_is_documented_to_the_leaf(fleet: Modules) -> None:
    documented = Documented(audit_info)
    fleet.on_server(client_tree, endpoints=[{"name": "n1"}])
    before = fleet.files_of_server()
    documented.take(fleet.on_server(audit_info, check=True))
    assert fleet.files_of_server() == before
    log = fleet.server_root / paths.AUDIT_LOG[1:]
    log.write_text(log.read_text().replace("published", "offered", 1))
    told = fleet.on_server(audit_info, last=1)
    documented.take(told)
    assert (documented.wrong, documented.unseen()) == ([], [])
    assert (len(told["entries"]), told["changed"]) == (1, False)
    assert told["problems"]


SAMPLE = """
one:
  description: V(null) or a text.
  returned: always
  type: str
  sample: x
many:
  description: Free keys.
  returned: sometimes
  type: dict
  sample: {a: {b: 1}}
list:
  description: Mappings.
  returned: always
  type: list
  elements: dict
  contains:
    at: {description: When., returned: always, type: str, sample: "2026-11-29T12:00:00Z"}
"""


@pytest.mark.parametrize(
    ("result", "wrong"),
    [
        ({"one": "x", "list": []}, []),
        ({"one": None, "many": {"k": {"l": 2}}, "list": [{"at": "2026-11-22T12:00:00Z"}]}, []),
        ({"one": "x"}, ["list: always there, the documentation says"]),
        ({"one": 1, "list": []}, ["one: 1 is no str"]),
        ({"one": True, "list": [{}]}, ["one: True is no str", "list.at: always there, the documentation says"]),
        ({"one": "x", "two": 2, "list": []}, ["two: not documented"]),
        ({"one": "2026-11-22T12:00:00Z", "list": []}, ["one: an instant, the sample is 'x'"]),
        ({"one": "x", "list": [], "many": {"k": "l"}}, ["many: {'k': 'l'} is not like {'a': {'b': 1}}"]),
        ({"one": "x", "list": [{"at": None}]}, ["list.at: null"]),
        ({"one": "x", "list": {}}, ["list: {} is no list"]),
    ],
)
def test_what_is_documented_otherwise_would_be_found(result: dict[str, Any], wrong: list[str]) -> None:
    documented = Documented(SimpleNamespace(RETURN=SAMPLE))
    documented.take({"changed": False, **result})
    assert documented.wrong == wrong


def test_what_was_never_there_would_be_found() -> None:
    documented = Documented(SimpleNamespace(RETURN=SAMPLE))
    documented.take({"one": None, "list": []})
    assert documented.unseen() == ["list.at", "many", "one"]
