# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of ``epp-server``. Each command lives in a module of its own subject.

That module has ``add_parsers``, which adds its commands, each with ``run`` set to its function. It is imported when one
of its commands is used, or when help is asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from types import ModuleType
from typing import Callable

from ..._core import exit_codes
from ..._core.validation.errors import InvalidDocument
from ..._core.version import VERSION
from ..._host.command_line import Parser
from ..._host.local_host import LocalHost
from ..._host.lock import Busy
from ..._host.output import complain
from .. import paths
from ..converge.service_account import NoUser, become

NAME = "epp-server"
_DESCRIPTION = f"""\
Manages the client tree, publishes configuration and components, and notifies
endpoints. Run as root, it first switches to the user {paths.USER}, except for
the command apply.
"""
_EPILOG = f"""\
exit status:
  {exit_codes.DONE}   done; also: nothing new, or another instance is running
  {exit_codes.FAILED}   failed; the message says why; verify and audit verify:
      problems found; health: there are alarms
  {exit_codes.STALE}   apply --digest: the program has another digest
  {exit_codes.USAGE}  wrong command line
  {exit_codes.BAD_DOCUMENT}  invalid input; every error is listed with its path
  {exit_codes.NO_USER}  the user {paths.USER} does not exist
  {exit_codes.UNREACHABLE}  no component source is reachable
  {exit_codes.DENIED}  permission denied
"""
AS_ROOT = frozenset({"apply"})
"""Commands that converge the server itself, and so need what its user may not do."""


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    options = _parser(_command_in(argv)).parse_args(argv)
    host = LocalHost(options.root, program=NAME)
    try:
        if options.command not in AS_ROOT:
            become(host, paths.USER)
        status: int = options.run(host, options)
    except (Busy, InvalidDocument, LookupError, OSError, ValueError, sqlite3.Error) as error:
        return _explain(error)
    except KeyboardInterrupt:
        complain(NAME, "stopped")
        return exit_codes.FAILED
    return status


def _components() -> ModuleType:
    from . import fetch

    return fetch


def _campaigns() -> ModuleType:
    from . import campaigns

    return campaigns


def _update_now() -> ModuleType:
    from . import update_now

    return update_now


def _apply() -> ModuleType:
    from . import apply

    return apply


def _tree() -> ModuleType:
    from . import tree

    return tree


def _publication() -> ModuleType:
    from . import publication

    return publication


def _fleet() -> ModuleType:
    from . import fleet

    return fleet


def _reports() -> ModuleType:
    from . import reports

    return reports


def _health() -> ModuleType:
    from . import health

    return health


def _fleet_report() -> ModuleType:
    from . import fleet_report

    return fleet_report


def _audit() -> ModuleType:
    from . import audit

    return audit


def _metrics() -> ModuleType:
    from . import metrics

    return metrics


def _rollout() -> ModuleType:
    from . import rollout

    return rollout


COMMANDS: dict[str, Callable[[], ModuleType]] = {
    "apply": _apply,
    "status": _fleet,
    "endpoints": _fleet,
    "health": _health,
    "report": _fleet_report,
    "metrics": _metrics,
    "audit": _audit,
    "tree": _tree,
    "register": _tree,
    "fetch": _components,
    "promote": _rollout,
    "rollout": _rollout,
    "publish": _publication,
    "verify": _publication,
    "keys": _publication,
    "enrollment": _publication,
    "ingest": _reports,
    "ask-reports": _reports,
    "notify": _campaigns,
    "campaigns": _campaigns,
    "update-now": _update_now,
}


def _command_in(argv: Sequence[str]) -> str:
    """The command that the arguments name; empty where there is none."""
    rest = iter(argv)
    for word in rest:
        if word == "--root":
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


def _parser(command: str) -> Parser:
    parser = Parser(first=True, prog=NAME, description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    homes = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for home in homes:
        home().add_parsers(commands)
    return parser


def _explain(error: Exception) -> int:
    """Tell an error on standard error; returns its exit status."""
    if isinstance(error, sqlite3.Error):
        from ..database.database import explained

        error = explained(error)
    complain(NAME, error)
    if isinstance(error, InvalidDocument):
        return exit_codes.BAD_DOCUMENT
    if isinstance(error, NoUser):
        return exit_codes.NO_USER
    return exit_codes.DENIED if isinstance(error, PermissionError) else exit_codes.FAILED
