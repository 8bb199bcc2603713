# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often a converge asks its host: each question once for a plan, and once more under the lock."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge
from ansible_collections.epp.autoupdate.plugins.module_utils._host.snapshot import Snapshot

from ..conftest import Sandbox, TimedHost

QUESTIONS = ("read", "peek", "names", "exists", "status", "target", "executable", "runs", "group_exists", "run")
DOCUMENT = ("read", paths.DOCUMENT)
# What an application asks besides its plan: the state is changed, a lock's directory made, the next run published.
OF_THE_APPLICATION = {("read", paths.STATE), ("exists", paths.RUNTIME_DIRECTORY), ("exists", "/usr/share/zoneinfo/UTC")}
CLAMAV = {"product": "clamav"}


class CountingHost(TimedHost):
    """A sandbox host that counts what it is asked."""

    def __init__(self, root: str, now: float) -> None:
        super().__init__(root, now)
        self.asked: Counter[tuple[str, str]] = Counter()

    def repeated(self) -> set[tuple[str, str]]:
        return {question for question, times in self.asked.items() if times > 1}

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in QUESTIONS:
            return found

        def ask(subject: Any, *arguments: Any, **options: Any) -> Any:
            self.asked[name, str(subject)] += 1
            return found(subject, *arguments, **options)

        return ask


def converged(sandbox: Sandbox, *, check: bool = False, **changes: Any) -> CountingHost:
    """The host of a converge, with what it was asked in it."""
    host = CountingHost(str(sandbox.root), sandbox.host.now())
    document = EndpointDocument.from_dict(sandbox.document(**changes))
    converge(document, host, agent=b"the agent", check=check)
    return host


@pytest.mark.parametrize("product", [{}, CLAMAV], ids=["command", "clamav"])
def test_a_converge_that_changes_nothing_asks_each_question_once(sandbox: Sandbox, product: dict[str, Any]) -> None:
    sandbox.converge(**product)
    host = converged(sandbox, **product)
    assert host.repeated() == set()
    assert host.asked[DOCUMENT] == 1


def test_check_mode_asks_each_question_once(sandbox: Sandbox) -> None:
    sandbox.converge()
    assert converged(sandbox, check=True, policy={"schedule": {"start": "03:00"}}).repeated() == set()


@pytest.mark.parametrize("product", [{}, CLAMAV], ids=["command", "clamav"])
def test_a_converge_that_changes_something_asks_once_more_under_the_lock(
    sandbox: Sandbox, product: dict[str, Any]
) -> None:
    for host in (converged(sandbox), converged(sandbox, policy={"schedule": {"start": "03:00"}}, **product)):
        assert host.asked[DOCUMENT] == 2
        assert {question for question, times in host.asked.items() if times > 2} <= OF_THE_APPLICATION


def test_a_snapshot_holds_until_something_is_changed_through_it(sandbox: Sandbox) -> None:
    view = Snapshot(sandbox.host)
    sandbox.host.write("/a", b"1")
    assert view.read("/a") == b"1"
    sandbox.host.write("/a", b"2")
    assert (view.read("/a"), view.exists("/b")) == (b"1", False)
    view.write("/b", b"")
    assert (view.read("/a"), view.exists("/b")) == (b"2", True)
