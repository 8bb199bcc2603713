# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cron's tables in ``/etc/cron.d`` (crontab(5))."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._core.schedule.calendars import hours_by_minutes

_ENVIRONMENT = """\
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MAILTO=""
"""


def table_text(head: str, lines: Iterable[str]) -> str:
    """A table; ``head`` is its comment."""
    return head + _ENVIRONMENT + "".join(f"{line}\n" for line in lines)


def table_line(when: str, user: str, argv: Sequence[str]) -> str:
    """One line of a table; nothing in the arguments means anything to cron or to the shell."""
    from shlex import join

    # Cron itself makes a line break of every percent sign, quoted or not.
    return f"{when} {user} {join(argv)}".replace("%", "\\%")


def intervals(every: int, phase: int) -> tuple[str, ...]:
    """When, in cron's notation: every so many seconds (whole minutes), the first ``phase`` after midnight by the
    host's own clock, to the minute."""
    return tuple(
        f"{','.join(map(str, minutes))} {'*' if len(hours) == 24 else ','.join(map(str, hours))} * * *"
        for minutes, hours in hours_by_minutes(every, phase).items()
    )
