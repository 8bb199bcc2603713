# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-server apply``, the converge of the server itself, which the Ansible task does too."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ..._core import exit_codes
from ..._core.settings.server import ServerSettings
from ..._core.validation.errors import InvalidDocument
from ..._host.identity import own_digest, own_file
from ..._host.local_host import LocalHost
from ..._host.output import write_document
from ..._host.program.checksum import has_valid_checksum
from ..._host.superuser import require_root
from ..converge.converge import Busy, converge, remove


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    apply = commands.add_parser("apply", help="converge this server to the JSON settings on standard input")
    apply.add_argument("--check", action="store_true", help="change nothing, report what would change")
    apply.add_argument("--diff", action="store_true", help="add the differences to the report")
    words = "report what the host lacks as missing, instead of failing"
    apply.add_argument("--incomplete", action="store_true", help=words)
    words = f"do nothing and exit with {exit_codes.STALE} if the program has another digest"
    apply.add_argument("--digest", default="", metavar="HEX", help=words)
    apply.add_argument("--absent", action="store_true", help="remove every trace, read no settings")
    apply.set_defaults(run=run_apply)


def run_apply(host: LocalHost, options: argparse.Namespace) -> int:
    """Converge and write one JSON result; refused settings are one too (``failed`` and ``msg``)."""
    if options.digest and (options.digest != own_digest() or not has_valid_checksum(own_file() or b"")):
        return _tell({"stale": True}, exit_codes.STALE)
    try:
        result = _result(host, options)
    except InvalidDocument as error:
        return _tell({"failed": True, "changed": False, "msg": str(error)}, exit_codes.BAD_DOCUMENT)
    except (OSError, Busy, LookupError, ValueError) as error:
        return _tell({"failed": True, "changed": False, "msg": str(error) or repr(error)}, exit_codes.FAILED)
    if not options.diff:
        del result["diff"]
    return _tell(result, exit_codes.DONE)


def _result(host: LocalHost, options: argparse.Namespace) -> dict[str, Any]:
    require_root(host, "a converge of the update server")
    if options.absent:
        return remove(host, check=options.check).to_result()
    try:
        raw = json.loads(sys.stdin.buffer.read())
    except ValueError as error:
        raise ValueError(f"standard input is not JSON: {error}") from error
    settings, complete = ServerSettings.from_dict(raw), not options.incomplete
    return converge(settings, host, program=own_file(), check=options.check, complete=complete).to_result()


def _tell(result: dict[str, Any], status: int) -> int:
    write_document(result)
    return status
