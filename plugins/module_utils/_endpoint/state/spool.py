# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spool: where a run's result waits while the state directory can't be written (full or read-only file system)."""

from __future__ import annotations

import json

from ..._core.results import Trigger
from ..._core.values import asdict
from ..._host.host import Host
from .. import paths
from .store import RunRecord


def spool(host: Host, trigger: Trigger, record: RunRecord, instance: str = "") -> None:
    """Keep one result of a product in the runtime directory, in place of an earlier one; raises OSError."""
    content = {"trigger": trigger.value, "record": asdict(record)}
    host.write(paths.of_product(paths.EMERGENCY_REPORT, instance), json.dumps(content).encode(), mode=0o600)


def spooled(host: Host, instance: str = "") -> tuple[Trigger, RunRecord] | None:
    """The result of a product that waits, None where there is none or where it can't be parsed."""
    content = host.read(paths.of_product(paths.EMERGENCY_REPORT, instance))
    if content is None:
        return None
    try:
        kept = json.loads(content)
        record = {**kept["record"], "changed": tuple(kept["record"]["changed"])}
        return Trigger(kept["trigger"]), RunRecord(**record)
    except (ValueError, KeyError, TypeError):
        return None


def clear_spool(host: Host, instance: str = "") -> None:
    """Remove the result that was kept; nothing there is fine. Raises OSError."""
    host.remove(paths.of_product(paths.EMERGENCY_REPORT, instance))
