# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of ``epp-agent``. Each command is one function in a module of its own subject."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Callable

from ..._core.validation.errors import InvalidDocument
from ..._core.version import VERSION
from ..._host.command_line import Parser
from ..._host.host import Host
from ..._host.local_host import LocalHost
from ..._host.output import complain
from . import exit_codes

_DESCRIPTION = "Keeps the components of this endpoint's protection product up to date."
_EPILOG = f"""\
exit status:
  {exit_codes.DONE}   done (also: nothing was new, a cool-down, a trigger that has no business here)
  {exit_codes.FAILED}   failed, the message says why
  {exit_codes.STALE}   apply --digest: this is another agent, or one whose self-test found an error
  {exit_codes.USAGE}  the command line is wrong
  {exit_codes.BAD_DOCUMENT}  the document is refused, the message lists every error; sync: what the server publishes
  {exit_codes.UNREACHABLE}  no component source, or update server, could be reached
  {exit_codes.DENIED}  denied: the message names the privilege that is missing
"""

Command = Callable[[LocalHost, argparse.Namespace], int]


def main(
    argv: Sequence[str], *, given: bytes | None = None, agent: Callable[[Host], bytes | None] | None = None
) -> int:
    """Run one command; returns the exit status.

    ``given`` is standard input where it has been read already. ``agent`` makes the agent's file that ``apply``
    installs, by default the one that runs.
    """
    options = _parser().parse_args(argv)
    options.given, options.agent = given, agent
    try:
        return _command(options.command)(LocalHost(options.root), options)
    except (InvalidDocument, LookupError, PermissionError, OSError, ValueError) as error:
        return exit_codes.explain(error)
    except KeyboardInterrupt:
        complain("epp-agent", "stopped")
        return exit_codes.FAILED


def _command(name: str) -> Command:
    """The command's function; imported only now, so that a start pays for one command and not for all."""
    if name == "apply":
        from .apply import apply

        return apply
    if name == "notice":
        from .notice import notice

        return notice
    if name == "sync":
        from .sync import sync

        return sync
    if name == "selftest":
        from .selftest import selftest

        return selftest
    if name == "status":
        from .status import status

        return status
    from . import run as commands_run

    commands: dict[str, Command] = {
        "prepare": commands_run.prepare,
        "run": commands_run.run,
        "update-now": commands_run.update_now,
        "scan": commands_run.scan,
        "schedule": commands_run.schedule,
        "roaming": commands_run.roaming,
    }
    return commands[name]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(first=True, prog="epp-agent", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"epp-agent {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_work(commands)
    _add_switches(commands)
    _add_apply(commands)
    _add_notice(commands)
    _add_sync(commands)
    return parser


def _add_work(commands: argparse._SubParsersAction[Parser]) -> None:
    run = commands.add_parser("run", help="update, if this trigger may and is due")
    run.add_argument("--trigger", required=True, choices=("schedule", "reconnect", "download", "manual"))
    _add_json(run)
    commands.add_parser("prepare", help="make the product's directories that are missing")
    now = commands.add_parser("update-now", help="Update Now: update at once")
    now.add_argument("--as-user", action="store_true", help="with no more than a user's privileges")
    _add_json(now)
    _add_json(commands.add_parser("scan", help="Scan Now: scan the policy's paths at once"))
    _add_json(commands.add_parser("selftest", help="try what an update needs, without a request to any source"))
    _add_json(commands.add_parser("status", help="what is installed, what ran, what comes next"))


def _add_notice(commands: argparse._SubParsersAction[Parser]) -> None:
    commands.add_parser("notice", help="the update server's entry: one line of JSON on standard input, one as answer")


def _add_sync(commands: argparse._SubParsersAction[Parser]) -> None:
    sync = commands.add_parser("sync", help="ask the update server for the configuration, adopt it, converge to it")
    only = sync.add_mutually_exclusive_group()
    only.add_argument("--due", action="store_true", help="only if no scheduled update asks and today nobody has yet")
    only.add_argument("--adopted", action="store_true", help="ask nobody: converge to what was adopted before")
    _add_json(sync)


def _add_switches(commands: argparse._SubParsersAction[Parser]) -> None:
    schedule = commands.add_parser("schedule", help="the user's own switch of scheduled update")
    schedule.add_argument("switch", choices=("enable", "disable"))
    roaming = commands.add_parser("roaming", help="the roaming state: a roaming endpoint takes no commands")
    roaming.add_argument("switch", choices=("on", "off"))


def _add_apply(commands: argparse._SubParsersAction[Parser]) -> None:
    apply = commands.add_parser("apply", help="converge this host to the JSON document on standard input")
    apply.add_argument("--check", action="store_true", help="change nothing, report what would change")
    apply.add_argument("--diff", action="store_true", help="add the differences to the report")
    apply.add_argument("--absent", action="store_true", help="remove every trace; reads no document")
    apply.add_argument(
        "--digest", metavar="HEX", help=f"exit with {exit_codes.STALE} unless this agent has this digest"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
