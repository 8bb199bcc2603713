# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exit statuses of both programs (the numbers above 64 are those of sysexits.h)."""

from __future__ import annotations

DONE = 0
FAILED = 1
STALE = 3
USAGE = 64
BAD_DOCUMENT = 65
NO_USER = 67
UNREACHABLE = 75
DENIED = 77
