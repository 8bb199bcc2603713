# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was decided about rollouts goes to the log, and to the audit (G8): each decision once, in its order."""

from __future__ import annotations

import sqlite3
import syslog
from collections.abc import Mapping
from typing import Any

from ..._core.rings.decide import EventKind
from ..._core.untrusted_text import shown
from ..._host.host import Host
from ..audit.changes import record_decision
from ..channels import store
from ..database.database import transaction

_ALARMING = (EventKind.HALTED.value, EventKind.INCONCLUSIVE.value)


def note_decisions(host: Host, connection: sqlite3.Connection) -> None:
    """Note what has not been noted yet. A job that is killed here notes a decision again rather than never."""
    for event in store.unnoted(connection):
        note(host, event)
        with transaction(connection):
            store.mark_noted(connection, event["id"])


def note(host: Host, event: Mapping[str, Any]) -> None:
    """Note one decision: ``at`` (Unix seconds), product, version, ring, kind, reason, evidence.

    Raises OSError or Busy where it can't be written into the audit.
    """
    record_decision(host, event)
    level = syslog.LOG_WARNING if event["kind"] in _ALARMING else syslog.LOG_NOTICE
    host.log(level, sentence(event))


def sentence(event: Mapping[str, Any]) -> str:
    """One decision in words."""
    where = f" in {event['ring']}" if event["ring"] else ""
    by = event["evidence"].get("by")
    who = f" by {by}" if by else ""
    why = f": {event['reason']}" if event["reason"] else ""
    return shown(f"rollout: {event['product']} {event['version']} {event['kind']}{where}{who}{why}")
