# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The privileges table (SPEC P1)."""

from __future__ import annotations

from .policy import Privileges


def scheduled_update_runs(privileges: Privileges, switch: bool | None) -> bool:
    """Whether scheduled updates run on an endpoint whose user's own switch is on, off or not set (None).

    Without option 1 the switch is ignored, though kept: granted again, it counts again.
    """
    if privileges.toggle_scheduled_update and switch is not None:
        return switch
    return privileges.scheduled_update
