# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``health`` of ``epp-server``."""

from __future__ import annotations

import argparse
from contextlib import closing

from ..._core.exit_codes import DONE, FAILED
from ..._host.local_host import LocalHost
from ..._host.output import write_lines
from ..database.database import open_database
from ..health import Health, health
from .output import print_json


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    words = "count endpoints by state and list alarms; exit status 1 if there are any"
    one = commands.add_parser("health", help=words, description=f"{words.capitalize()}.")
    one.add_argument("--json", action="store_true", help="report as one JSON document")
    one.set_defaults(run=run_health)


def run_health(host: LocalHost, options: argparse.Namespace) -> int:
    """Tell the health; alarms first."""
    with closing(open_database(host)) as connection:
        found = health(host, connection)
    if options.json:
        print_json(found.to_dict())
    else:
        write_lines([*(f"ALARM {alarm.name}: {alarm.words}" for alarm in found.alarms), _summary(found)])
    return FAILED if found.alarms else DONE


def _summary(found: Health) -> str:
    """The counts, those that need somebody first."""
    told = found.to_dict()
    counts = ", ".join(f"{count} {state}" for state, count in told["states"].items() if count)
    number = told["endpoints"]
    return f"{number} endpoint{'' if number == 1 else 's'}: {counts}" if counts else "no endpoint is registered"
