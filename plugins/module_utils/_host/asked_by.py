# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program that is started here may know of who asked for it."""

from __future__ import annotations

import os

NAMES = ("SUDO_USER", "EPP_REQUESTED_BY")
"""Who called sudo; and what a caller says of itself: a word for the audit, by which nothing is granted."""


def asked_by() -> dict[str, str]:
    """The variables that a program gets beside its minimal environment."""
    return {name: os.environ[name] for name in NAMES if name in os.environ}
