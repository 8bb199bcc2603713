# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever else starts the product's own updater on a host, found by what it starts, switched off, given back.

``find`` only looks. What it returns are entries as every part of a converge has them, so check mode, diff and drift are
theirs. What is to be remembered of a path before it changes are its notes (see ``notes``).
"""

from __future__ import annotations

from ..._core.system_files.vendor_updaters import Program
from ..._host.host import Host
from .base import Found

__all__ = ("Found", "find")


def find(host: Host, programs: tuple[Program, ...], *, takeover: bool) -> Found:
    """What starts one of these programs beside our schedule; nothing where there is none.

    What came with packages is to be switched off, and what administrators wrote with ``takeover`` alone.
    """
    if not programs:
        return Found()
    from .cron import found_in_tables
    from .init_scripts import found_in_init_scripts
    from .look import Look
    from .scripts import found_in_scripts
    from .units import found_in_units, without_drop_ins

    look = Look(host, programs, takeover=takeover)
    units, known = found_in_units(look)
    found = units.with_more(found_in_init_scripts(look, known))
    found = found.with_more(found_in_tables(look)).with_more(found_in_scripts(look))
    return found.with_more(without_drop_ins(host, but=found.notes))
