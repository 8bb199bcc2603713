# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server keeps of an answer, held against what an agent writes (R5)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Component, Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.reported import reported
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import LATEST
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.report import RunReport
from hypothesis import given
from hypothesis import strategies as st

from ..test_timestamps import NO_INSTANTS

MOMENTS = ("started", "finished", "until")
instants = st.floats(0, LATEST)


@given(instants, instants, st.none() | st.integers(0, LATEST), st.none() | st.integers(0, LATEST))
def test_everything_that_an_agent_tells_is_kept_as_it_is(
    started: float, finished: float, until: int | None, built: int | None
) -> None:
    """Of components the name and the version."""
    after = (Component("daily", "27002", built),)
    run = RunReport(Trigger.DOWNLOAD, Result.UPDATED, "x", started, finished, after=after, until=until, joined="manual")
    told = run.to_dict()
    assert reported(told) == {**told, "after": [{"name": "daily", "version": "27002"}]}


@pytest.mark.parametrize("key", MOMENTS)
@pytest.mark.parametrize("raw", [*NO_INSTANTS, 1795348800, 1795348800.5, True, [], {}])
def test_what_is_no_instant_is_left_out_and_the_rest_kept(key: str, raw: Any) -> None:
    assert reported({"result": "updated", key: raw}) == {"result": "updated"}


def test_no_cool_down_is_told_as_that() -> None:
    assert reported({"until": None, "started": None}) == {"until": None}
