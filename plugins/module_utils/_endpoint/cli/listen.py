# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent listen``: listen for orders of the update server at the message broker (L3)."""

from __future__ import annotations

import argparse
import signal

from ..._host.local_host import LocalHost
from ..listening.listener import Listener
from ..runner.user_actions import for_root_alone
from . import exit_codes


def listen(host: LocalHost, _options: argparse.Namespace) -> int:
    """Listen until something changes by which it has to start anew, or somebody ends it."""
    for_root_alone(host, "epp-agent listen")
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    Listener(host).run(lambda: bool(stopped))
    return exit_codes.DONE
