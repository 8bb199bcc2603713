# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program whose jobs the tests of schedulers give to them, and systemd's answers about its units."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler.base import Job, Owned, Texts, Units
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost

PROGRAM = "/usr/local/bin/backup"
OWNED = Owned(
    Units(
        services=("backup@.service", "verify.service", "receive@.service"),
        timers=("backup.timer", "backup-boot.timer", "verify.timer"),
        sockets=("receive.socket",),
        boot_only=("backup-boot.timer",),
        realtime=("backup.timer", "verify.timer"),
        loaded=("verify.service", "backup@daily.service"),
    ),
    table="backup",
)
UNITS = (*OWNED.units.services, *OWNED.units.timers, *OWNED.units.sockets)
TEXTS: dict[str, Texts] = {
    "systemd": {name: f"# {name}\n" for name in UNITS},
    "cron": {"backup": "1 * * * * root /usr/local/bin/backup\n"},
}
KINDS = tuple(TEXTS)
VERIFY = Job("verification", "verify.service", (PROGRAM, "verify"), successes=(0, 1), idle=True)

FOREIGN = "other.service"
"""A unit of somebody else, about which systemd is asked as well."""


def running(directory: Path, **differences: str) -> RunningHost:
    """A host on which systemd runs, with every unit as planned but for ``differences``.

    A unit's state is written ``load active reload``, its key is the name with ``_`` for ``-``, ``.`` and ``@``.
    """
    host = RunningHost(str(directory), {"show": shown(**differences)})
    host.mkdir("/run/systemd/system")
    return host


def shown(**differences: str) -> Completed:
    """What ``systemctl show`` says of the units that a scheduler asks for."""
    lasting = ("backup.timer", "verify.timer", "receive.socket")
    states = dict.fromkeys(("backup-boot.timer", *OWNED.units.loaded, FOREIGN), "loaded inactive no")
    states.update(dict.fromkeys(lasting, "loaded active no"))
    blocks = []
    for name, usual in states.items():
        key = name.replace("-", "_").replace(".", "_").replace("@", "_")
        load, active, stale = differences.get(key, usual).split()
        blocks.append(f"Id={name}\nLoadState={load}\nActiveState={active}\nNeedDaemonReload={stale}\n")
    return Completed(0, "\n".join(blocks), "")


def told(host: RunningHost) -> list[tuple[str, ...]]:
    """What systemctl was told to do."""
    return [command[2:] for command in host.commands if command[2] != "show"]
