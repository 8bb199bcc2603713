# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Products that leave an endpoint's list or change their place in it, however that goes (D2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import Busy, converge
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner import runner as runners
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.user_actions import set_switch
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.spool import spool
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.store import RunRecord, StateStore
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.products import published
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import publish_current
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import exclusively, locked

from ..conftest import Sandbox
from .test_products import entries, lasting, product

NOON = 1795348800.0
CALLS = ("write", "remove", "mkdir", "link")
METRICS = "/var/lib/prometheus/node-exporter"


def command_entry(sandbox: Sandbox) -> dict[str, Any]:
    """The sandbox's first product as a further one."""
    return {name: sandbox.document()[name] for name in ("product", "command")}


def reordered(sandbox: Sandbox) -> dict[str, Any]:
    """``spam`` comes to the first place, ``command`` loses it, ``ids`` goes and metrics go elsewhere."""
    spam = entries(sandbox, "spam")[0]
    return {**spam, "products": [command_entry(sandbox)], "textfile_directory": "/var/lib/metrics"}


def before(sandbox: Sandbox) -> None:
    """Three products, of which each has been updated."""
    for directory in (METRICS, "/var/lib/metrics"):
        (sandbox.root / directory[1:]).mkdir(parents=True)
    sandbox.converge(products=entries(sandbox, "ids", "spam"))
    for name, times in (("command", 1), ("ids", 2), ("spam", 3)):
        for _time in range(times):
            sandbox.runner(product(sandbox, name)).run(Trigger.MANUAL)


def breaking(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, after: int) -> None:
    """Let a host's disk fail once it was changed so often."""
    left = [after]

    def patched(name: str) -> Any:
        real = getattr(sandbox.host, name)

        def call(*arguments: Any, **more: Any) -> Any:
            if not left[0]:
                raise OSError(5, "Input/output error")
            left[0] -= 1
            return real(*arguments, **more)

        return call

    for name in CALLS:
        monkeypatch.setattr(sandbox.host, name, patched(name))


def assert_is_after(sandbox: Sandbox) -> None:
    for one in sandbox.endpoint.each():
        publish_current(one)  # as the next run does, where the disk failed only after the converge
    tree = sandbox.tree()
    left = [path for path in lasting(tree) if "ids" in path or "spam" in path]
    assert left == [paths.memory_of("spam")[1:]]
    assert [path for path in tree if path.endswith(".prom")] == [
        "var/lib/metrics/epp_autoupdate.prom",
        "var/lib/metrics/epp_autoupdate_command.prom",
    ]
    states = {one.document.product: one.store.read() for one in sandbox.endpoint.each()}
    assert {name: one.runs for name, one in states.items()} == {"spam": 3, "command": 1}
    assert states["spam"].leaving == ()
    assert json.loads(tree["var/lib/epp-autoupdate/status.json"][1])["product"] == "spam"


@pytest.mark.heavy
def test_a_converge_that_broke_anywhere_is_made_good_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a list that loses one product and begins with another needs many changes, the disk fails at each of them."""
    broke = 0
    while True:
        directory = tmp_path / str(broke)
        directory.mkdir()
        sandbox = Sandbox(directory, NOON)
        before(sandbox)
        with monkeypatch.context() as patch:
            breaking(patch, sandbox, broke)
            try:
                sandbox.converge(**reordered(sandbox))
            except OSError:
                broke += 7
            else:
                break
        sandbox.converge(**reordered(sandbox))
        assert_is_after(sandbox)
        assert not sandbox.converge(**reordered(sandbox)).changed
    assert broke > 40


@pytest.mark.parametrize("after", [0, 5, 12, 30])
def test_absent_after_a_converge_that_broke_leaves_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    before(sandbox)
    with monkeypatch.context() as patch:
        breaking(patch, sandbox, after)
        with pytest.raises(OSError, match="Input/output"):
            sandbox.converge(**reordered(sandbox))
    remove(sandbox.host, check=False)
    assert [path for path in sandbox.tree() if "epp" in path and not path.endswith("epp-autoupdate.log")] == []


def test_each_product_keeps_its_state_when_the_list_is_ordered_anew(sandbox: Sandbox) -> None:
    before(sandbox)
    set_switch_allowed = {"privileges": {"toggle_scheduled_update": True}}
    sandbox.converge(products=entries(sandbox, "ids", "spam"), policy=set_switch_allowed)
    set_switch(sandbox.endpoint, on=False)
    occurrences = {}
    for name in ("command", "ids", "spam"):
        product(sandbox, name).store.change(lambda state, name=name: state.with_occurrence(name))
        occurrences[name] = name
    for order in (["spam", "command", "ids"], ["ids", "spam", "command"], ["command", "ids", "spam"]):
        known = {"command": command_entry(sandbox), **{n: entries(sandbox, n)[0] for n in ("ids", "spam")}}
        first, *others = (known[name] for name in order)
        check = sandbox.converge(check=True, **{**first, "products": others})
        assert check.changed
        sandbox.converge(**{**first, "products": others})
        endpoints = sandbox.endpoint.each()
        assert [one.document.product for one in endpoints] == order
        assert {one.document.product: one.store.read().occurrence for one in endpoints} == occurrences
        assert [one.store.read().switch for one in endpoints] == [False, False, False]
        told = published(sandbox.host, json.loads(sandbox.host.read(paths.STATUS) or b""))
        assert [one["product"] for one in told["products"]] == order
        assert [len(one["last"]) for one in told["products"]] == [1, 1, 1]
        assert all("place" not in one for one in told["products"])


def test_another_product_begins_with_a_state_of_its_own(sandbox: Sandbox) -> None:
    before(sandbox)
    sandbox.converge(**entries(sandbox, "third")[0])
    state = sandbox.endpoint.store.read()
    assert (state.product, state.runs, state.last) == ("third", 0, {})
    assert state.machine is not None


def test_a_converge_that_broke_with_the_states_moved_may_be_taken_back(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(sandbox)
    write = sandbox.host.write

    def breaks(path: str, *arguments: Any, **more: Any) -> None:
        if path == paths.DOCUMENT:
            raise OSError(28, "No space left on device")
        write(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(sandbox.host, "write", breaks)
        with pytest.raises(OSError, match="No space"):
            sandbox.converge(**reordered(sandbox))
    taken_back = sandbox.converge(products=entries(sandbox, "ids", "spam"))
    assert "the state of spam leaves the first place, which command has" in taken_back.corrections
    states = {one.document.product: one.store.read() for one in sandbox.endpoint.each()}
    assert {name: one.runs for name, one in states.items()} == {"command": 1, "ids": 2, "spam": 3}


def test_a_result_that_could_not_be_written_goes_with_its_product(sandbox: Sandbox) -> None:
    before(sandbox)
    spool(sandbox.host, Trigger.RECONNECT, RunRecord("failed", "the disk is full", NOON, NOON))
    sandbox.converge(**reordered(sandbox))
    first, second = (one.store.read() for one in sandbox.endpoint.each())
    assert "reconnect" not in first.last
    assert second.last["reconnect"].why == "the disk is full"


@pytest.mark.parametrize("place", ["first", "further"])
def test_a_run_of_a_product_that_left_meanwhile_writes_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (sandbox.root / METRICS[1:]).mkdir(parents=True)
    ids, spam = entries(sandbox, "ids", "spam")
    sandbox.converge(**(ids if place == "first" else spam), products=[spam if place == "first" else ids])
    endpoint = product(sandbox, "ids")

    def gone(*_arguments: Any) -> Outcome:
        sandbox.converge(**spam)
        return Outcome(Result.UPDATED)

    monkeypatch.setattr(runners, "proven_update", gone)
    sandbox.runner(endpoint).run(Trigger.MANUAL)
    assert [path for path in lasting(sandbox.tree()) if "ids" in path] == []
    assert sandbox.endpoint.store.read().last == {}
    assert json.loads(sandbox.host.read(paths.STATUS) or b"")["last"] == {}
    assert not sandbox.converge(**spam).changed


def test_a_run_that_waits_for_a_product_which_loses_the_first_place_goes_on_as_its_own(sandbox: Sandbox) -> None:
    ids, spam = entries(sandbox, "ids", "spam")
    sandbox.converge(**ids, products=[spam])
    endpoint = sandbox.endpoint
    sandbox.converge(**spam, products=[ids])
    assert endpoint.reloaded().document.product == "ids"
    assert endpoint.reloaded().document.instance == "ids"


def test_no_place_changes_while_its_product_is_updated(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run holds the lock of the place that it began in; another one would begin beside it."""
    ids, spam = entries(sandbox, "ids", "spam")
    sandbox.converge(**ids, products=[spam])
    monkeypatch.setitem(vars(exclusively)["__wrapped__"].__kwdefaults__, "wait", 0.1)
    with locked(sandbox.host, paths.UPDATE_LOCK, wait=0):
        tree = sandbox.tree()
        with pytest.raises(Busy, match="another update on this host still runs"):
            sandbox.converge(**spam, products=[ids])
        assert lasting(sandbox.tree()) == lasting(tree)
        assert sandbox.converge(**ids, products=[spam], limits={"update": "20m"}).changed
    assert sandbox.converge(**spam, products=[ids]).changed


CLAMAV = {
    "product": "clamav",
    "clamav": {"databases": ["test"]},
    "policy": {"sources": {"urls": ["http://127.0.0.1:1"]}},
}


def made(sandbox: Sandbox) -> list[Path]:
    """What ClamAV makes for this project alone, all of it there."""
    found = [sandbox.root / path[1:] for path in sandbox.endpoint.product.needs().remains]
    for path in found:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return [*found, *(sandbox.root / one.path[1:] for one in sandbox.endpoint.product.entries())]


@pytest.mark.parametrize("how", ["from the list", "for another"])
def test_what_clamav_made_goes_with_it_and_databases_stay(sandbox: Sandbox, how: str) -> None:
    spam = entries(sandbox, "spam")[0]
    sandbox.converge(**CLAMAV, products=[spam] if how == "from the list" else [])
    left = made(sandbox)
    database = sandbox.root / "var/lib/clamav/daily.cvd"
    database.touch()
    assert len(left) >= 5
    assert all(path.exists() for path in left)
    sandbox.converge(**spam)
    assert [path for path in left if path.exists()] == []
    assert database.exists()


def test_what_clamav_made_stays_with_it_in_another_place_and_goes_from_a_former_directory(sandbox: Sandbox) -> None:
    spam = entries(sandbox, "spam")[0]
    sandbox.converge(**CLAMAV, products=[spam])
    left = made(sandbox)
    sandbox.converge(**spam, products=[CLAMAV])
    assert all(path.exists() for path in left)
    moved = {**CLAMAV, "clamav": {**CLAMAV["clamav"], "database_directory": "/srv/clamav"}}
    sandbox.converge(**spam, products=[moved])
    gone = {path.relative_to(sandbox.root).parts[:3] for path in left if not path.exists()}
    assert gone == {("var", "lib", "clamav")}


def test_what_a_product_remembers_of_its_vendor_goes_with_it(sandbox: Sandbox) -> None:
    ids, spam = entries(sandbox, "ids", "spam")
    sandbox.converge(**ids, products=[spam])
    for name in ("ids", "spam"):
        sandbox.host.write(paths.memory_of(name), b"{}")
    sandbox.converge(**spam, products=[ids])
    assert all(sandbox.host.exists(paths.memory_of(name)) for name in ("ids", "spam"))
    sandbox.converge(**spam)
    assert [sandbox.host.exists(paths.memory_of(name)) for name in ("ids", "spam")] == [False, True]
    assert not sandbox.converge(**spam).changed


def test_an_agent_on_a_host_of_before_knows_whose_state_is_in_the_first_place(sandbox: Sandbox) -> None:
    """A state that no converge of this version has written yet is that of the document's first product."""
    ids, spam = entries(sandbox, "ids", "spam")
    sandbox.converge(**ids, products=[spam])
    StateStore(sandbox.host).change(lambda state: state.with_occurrence("one"))
    raw = json.loads(sandbox.host.read(paths.STATE) or b"")
    del raw["product"]
    sandbox.host.write(paths.STATE, json.dumps(raw).encode())
    document = EndpointDocument.from_dict(sandbox.document(**spam, products=[ids]))
    converge(document, LocalHost(str(sandbox.root)), agent=b"the agent", check=False)
    assert [one.store.read().occurrence for one in sandbox.endpoint.each()] == [None, "one"]
