# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every scheduler keeps to, whichever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import Absent, File, Link
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler import (
    all_schedulers,
    every_owned_path,
    schedulers_left,
    select_scheduler,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost, Sandbox

from .samples import FOREIGN, KINDS, OWNED, TEXTS, VERIFY, running

each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_whatever_is_written_is_owned_and_whatever_is_owned_is_written_or_absent(tmp_path: Path, kind: str) -> None:
    scheduler = select_scheduler(kind, Sandbox(str(tmp_path)), OWNED)
    entries = scheduler.entries(TEXTS[kind])
    assert {entry.path for entry in entries} == set(scheduler.owned())
    texts = {entry.path.rpartition("/")[2]: entry.content.decode() for entry in entries if isinstance(entry, File)}
    assert texts == TEXTS[kind]
    assert {entry.mode for entry in entries if isinstance(entry, File)} == {0o644}


@each_kind
def test_what_has_no_text_is_absent(tmp_path: Path, kind: str) -> None:
    scheduler = select_scheduler(kind, Sandbox(str(tmp_path)), OWNED)
    assert scheduler.entries({}) == tuple(Absent(path) for path in scheduler.owned())


def test_no_scheduler_owns_what_is_another_s(tmp_path: Path) -> None:
    host = Sandbox(str(tmp_path))
    owned = [scheduler.owned() for scheduler in all_schedulers(host, OWNED)]
    assert len(owned) == len(KINDS)
    assert not set(owned[0]) & set(owned[1])
    assert every_owned_path(host, OWNED) == (*owned[0], *owned[1])


@each_kind
def test_a_scheduler_is_left_when_its_files_go(tmp_path: Path, kind: str) -> None:
    host = Sandbox(str(tmp_path))
    chosen = select_scheduler(kind, host, OWNED)
    (other,) = (one for one in all_schedulers(host, OWNED) if one.name != kind)
    left = schedulers_left(chosen, host, OWNED, changed_paths=[*chosen.owned(), other.owned()[0]])
    assert [one.name for one in left] == [other.name]
    assert schedulers_left(chosen, host, OWNED, changed_paths=chosen.owned()) == ()


def mere_directory(directory: Path) -> Sandbox:
    return Sandbox(str(directory))


def without_systemd(directory: Path) -> RunningHost:
    return RunningHost(str(directory))


@pytest.mark.parametrize(
    ("kind", "make"), [("systemd", mere_directory), ("cron", mere_directory), ("systemd", without_systemd)]
)
def test_where_it_does_not_run_a_scheduler_is_neither_asked_nor_told(
    tmp_path: Path, kind: str, make: Callable[[Path], Sandbox]
) -> None:
    host = make(tmp_path)
    scheduler = select_scheduler(kind, host, OWNED)
    assert scheduler.states((FOREIGN,)) is None
    assert scheduler.drift(TEXTS[kind]) == ()
    scheduler.activate(TEXTS[kind], scheduler.owned())
    scheduler.deactivate()
    scheduler.forget()
    scheduler.reckon_anew()
    assert scheduler.errors() == ()
    assert not scheduler.start(VERIFY)
    assert getattr(host, "commands", []) == []


@each_kind
def test_systemd_is_asked_once_for_units_of_others_too(tmp_path: Path, kind: str) -> None:
    host = running(tmp_path, other_service="loaded active no")
    scheduler = select_scheduler(kind, host, OWNED)
    states = scheduler.states((FOREIGN,))
    assert states is not None
    assert states[FOREIGN].active
    assert scheduler.drift(TEXTS[kind], states) == ()
    scheduler.activate(TEXTS[kind], (), states)
    assert len(host.commands) == 1


@each_kind
@pytest.mark.parametrize(
    ("state", "paths"),
    [
        ("loaded inactive yes", ()),
        ("loaded inactive no", ("/etc/systemd/system/other.service.d/off.conf",)),
        ("loaded inactive no", ("/run/systemd/system/other.service",)),
    ],
)
def test_units_of_others_that_changed_are_read_again(
    tmp_path: Path, kind: str, state: str, paths: tuple[str, ...]
) -> None:
    host = running(tmp_path, other_service=state)
    scheduler = select_scheduler(kind, host, OWNED)
    scheduler.activate(TEXTS[kind], paths, scheduler.states((FOREIGN,)))
    assert [command[2:] for command in host.commands[1:]] == [("daemon-reload",)]


@each_kind
def test_a_job_that_can_t_be_started_is_told_in_the_words_of_who_refused(tmp_path: Path, kind: str) -> None:
    host = running(tmp_path)
    host.replies = {"verify": Completed(1, "", "it is not there.\n")}
    with pytest.raises(OSError, match=r": it is not there\."):
        select_scheduler(kind, host, OWNED).start(VERIFY)


@each_kind
def test_a_trial_tells_only_why_nothing_started(tmp_path: Path, kind: str) -> None:
    host = running(tmp_path)
    scheduler = select_scheduler(kind, host, OWNED)
    assert scheduler.trial(VERIFY, timeout=9.0) == ""
    host.replies = {"verify": Completed(126, "", "not allowed\n")}
    host.replies = {"show": Completed(0, "203\n", ""), **host.replies}
    assert scheduler.trial(VERIFY, timeout=9.0) == ("203/EXEC" if kind == "systemd" else "not allowed")


def test_timers_and_sockets_are_enabled_by_links(tmp_path: Path) -> None:
    entries = select_scheduler("systemd", Sandbox(str(tmp_path)), OWNED).entries(TEXTS["systemd"])
    units = "/etc/systemd/system"
    assert {entry for entry in entries if isinstance(entry, Link)} == {
        *(Link(f"{units}/timers.target.wants/{name}", f"{units}/{name}") for name in OWNED.units.timers),
        *(Link(f"{units}/sockets.target.wants/{name}", f"{units}/{name}") for name in OWNED.units.sockets),
    }
