# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""P1, the table as SPEC.md has it."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Privileges
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.privileges import scheduled_update_runs

TABLE = [
    # toggle, scheduled_update, switch, runs?
    (False, False, None, False),
    (False, False, True, False),
    (False, False, False, False),
    (False, True, None, True),
    (False, True, True, True),
    (False, True, False, True),
    (True, True, None, True),
    (True, True, True, True),
    (True, True, False, False),
    (True, False, None, False),
    (True, False, True, True),
    (True, False, False, False),
]


@pytest.mark.parametrize(("toggle", "scheduled", "switch", "runs"), TABLE)
def test_the_table(toggle: bool, scheduled: bool, switch: bool | None, runs: bool) -> None:
    privileges = Privileges(toggle_scheduled_update=toggle, scheduled_update=scheduled)
    assert scheduled_update_runs(privileges, switch) is runs
