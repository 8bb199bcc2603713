# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``report`` of ``epp-server``."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from typing import TextIO

from ..._core.exit_codes import DONE
from ..._host.local_host import LocalHost
from ..._host.output import standard_output, write_composed
from ..database.database import open_database
from ..fleet_report.document import fleet_report
from ..fleet_report.page.page import page
from .output import print_json


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    words = "write the report on the fleet"
    one = commands.add_parser("report", help=words, description=f"{words.capitalize()}, with all its endpoints.")
    form = one.add_mutually_exclusive_group(required=True)
    words = "as one HTML file that needs nothing else; - is standard output"
    form.add_argument("--html", type=_opened, metavar="FILE", help=words)
    form.add_argument("--json", action="store_true", help="as one JSON document")
    one.set_defaults(run=run_report)


def run_report(host: LocalHost, options: argparse.Namespace) -> int:
    """Write the report."""
    with closing(open_database(host)) as connection:
        document = fleet_report(host, connection)
    if options.json:
        print_json(document)
        return DONE
    text = page(document)
    if options.html is standard_output():
        write_composed(text)
        return DONE
    with options.html as stream:
        stream.truncate()
        stream.write(text)
    return DONE


def _opened(path: str) -> TextIO:
    """The file to be written, opened while the command line is read: whoever may write it need not be the server's
    user. What is in it stays until the report is made."""
    if path == "-":
        return standard_output()
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "w", encoding="ascii")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"can't be written: {error}") from None
