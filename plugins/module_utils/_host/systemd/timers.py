# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a timer (systemd.timer(5))."""

from __future__ import annotations

# The timers want network-online.target, and the services are only ordered after it: so the target is part of the boot,
# and a later start does not sit through its time-out again on a machine without network.
# A timer that is restarted six times in ten seconds (a schedule that is tried out) would else stay failed.
_TIMER = """\
[Unit]
Description={description}
Wants=network-online.target
StartLimitIntervalSec=0

[Timer]
{when}AccuracySec=1s
Unit={unit}

[Install]
WantedBy=timers.target
"""


def timer_text(description: str, *, when: str, unit: str) -> str:
    """A timer that starts ``unit``; ``when`` are the lines that say when it elapses."""
    return _TIMER.format(description=description, when=when, unit=unit)
