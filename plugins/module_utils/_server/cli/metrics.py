# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``metrics`` of ``epp-server``."""

from __future__ import annotations

import argparse
from contextlib import closing

from ..._core.exit_codes import DONE
from ..._core.exposition import exposition
from ..._host.local_host import LocalHost
from ..._host.output import write_lines
from ..database.database import open_database
from ..metrics.compose import server_metrics, write_textfile


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    words = "print the metrics of server and fleet in Prometheus' text format"
    one = commands.add_parser("metrics", help=words, description=f"{words.capitalize()}.")
    words = "write them where a link in the collector's directory leads; nothing where there is none"
    one.add_argument("--write", action="store_true", help=words)
    one.set_defaults(run=run_metrics)


def run_metrics(host: LocalHost, options: argparse.Namespace) -> int:
    """Print the metrics, or write them into the textfile: the timer's command."""
    with closing(open_database(host)) as connection:
        if options.write:
            write_textfile(host, connection)
        else:
            write_lines(exposition(server_metrics(host, connection)).splitlines())
    return DONE
