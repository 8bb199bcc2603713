# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The intake of reports starts the promotion job where one of them may decide something, and not at each (G4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.rollout.news import PAUSE_S, RolloutNews

from .conftest import Server


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Intake:
    """One run of the intake, of which only the word to the promotion job is of interest."""

    def __init__(self, server: Server, news: RolloutNews, clock: Clock) -> None:
        self.server, self.news, self.clock = server, news, clock

    def told(self) -> bool:
        """Whether there was a word since the last question."""
        found = self.server.host.exists(paths.ROLLOUT_NEWS)
        self.server.host.remove(paths.ROLLOUT_NEWS)
        return found


@pytest.fixture
def intake(server: Server) -> Iterator[Intake]:
    clock = Clock()
    with closing(open_database(server.host)) as connection:
        yield Intake(server, RolloutNews(server.host, connection, clock), clock)


def test_only_who_counts_for_a_version_on_trial_is_news(intake: Intake) -> None:
    intake.news.taken(["c1", "b1"])
    assert not intake.told(), "no ring tries anything"
    intake.server.offer("two")
    intake.news.taken(["b1", "e1", "nobody"])
    assert not intake.told(), "their rings are not offered the new version"
    intake.news.taken(["b1", "c1"])
    assert intake.told()


def test_there_is_one_word_in_a_while_and_none_is_lost(intake: Intake) -> None:
    intake.server.offer("two")
    told = []
    for second in range(25):
        intake.clock.now = float(second)
        intake.news.taken(["c1"])
        told.append(intake.told())
    assert [second for second, one in enumerate(told) if one] == [0, PAUSE_S, 2 * PAUSE_S]
    intake.news.tell()
    assert intake.told(), "what came since the last word is told at the end"
    intake.news.tell()
    assert not intake.told()
