# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what the system's account database says."""

from __future__ import annotations


def group_exists(name: str) -> bool:
    """Whether the system has a group of this name."""
    import grp

    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
