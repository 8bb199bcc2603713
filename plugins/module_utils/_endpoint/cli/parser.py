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
  {exit_codes.DONE}   done; also: nothing new, a cool-down, trigger not allowed by policy
  {exit_codes.FAILED}   failed; the message says why
  {exit_codes.STALE}   apply --digest: another digest, or the last self-test failed
  {exit_codes.USAGE}  wrong command line
  {exit_codes.BAD_DOCUMENT}  invalid document, with all errors; sync: configuration refused
  {exit_codes.UNREACHABLE}  no component source or update server is reachable
  {exit_codes.DENIED}  permission denied; the message names the missing privilege
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
    loader = _LOADERS.get(name)
    if loader is not None:
        return loader()
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


def _apply() -> Command:
    from .apply import apply

    return apply


def _engine() -> Command:
    from .engine import engine

    return engine


def _listen() -> Command:
    from .listen import listen

    return listen


def _notice() -> Command:
    from .notice import notice

    return notice


def _sync() -> Command:
    from .sync import sync

    return sync


def _report() -> Command:
    from .report import make_report

    return make_report


def _selftest() -> Command:
    from .selftest import selftest

    return selftest


def _status() -> Command:
    from .status import status

    return status


_LOADERS: dict[str, Callable[[], Command]] = {
    "apply": _apply,
    "engine": _engine,
    "listen": _listen,
    "notice": _notice,
    "report": _report,
    "selftest": _selftest,
    "status": _status,
    "sync": _sync,
}
"""The commands with a module of their own."""


def _parser() -> argparse.ArgumentParser:
    parser = Parser(first=True, prog="epp-agent", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"epp-agent {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_work(commands)
    _add_switches(commands)
    _add_apply(commands)
    _add_engine(commands)
    _add_notice(commands)
    _add_sync(commands)
    _add_report(commands)
    return parser


def _add_work(commands: argparse._SubParsersAction[Parser]) -> None:
    run = commands.add_parser("run", help="update if the policy allows the trigger and it is due")
    triggers = ("schedule", "reconnect", "download", "manual")
    words = f"the reason for the update: {', '.join(triggers)}"
    run.add_argument("--trigger", required=True, choices=triggers, metavar="TRIGGER", help=words)
    _add_product(run)
    _add_json(run)
    commands.add_parser("prepare", help="create missing directories of the product")
    now = commands.add_parser("update-now", help="update components now (Update Now)")
    now.add_argument("--as-user", action="store_true", help="apply the privileges of users, also to root")
    despite = "start also in a blackout that grants Update Now no exception (root)"
    now.add_argument("--despite-blackout", action="store_true", help=despite)
    _add_product(now, "update this product alone, instead of all")
    _add_json(now)
    scan = commands.add_parser("scan", help="scan the configured paths now (Scan Now)")
    _add_product(scan)
    _add_json(scan)
    selftest = commands.add_parser("selftest", help="test what an update needs, without a request to a source")
    _add_product(selftest)
    _add_json(selftest)
    _add_json(commands.add_parser("status", help="show installed components, past runs and the next run"))


def _add_engine(commands: argparse._SubParsersAction[Parser]) -> None:
    engine = commands.add_parser("engine", help="upgrade the packages of the product's engine, in their window")
    engine.add_argument("--due", action="store_true", help="only if the open window has not had its run")
    engine.add_argument("--despite-window", action="store_true", help="also outside of its windows")
    engine.add_argument("--check", action="store_true", help="tell what would be done, and do nothing")
    _add_json(engine)


def _add_notice(commands: argparse._SubParsersAction[Parser]) -> None:
    commands.add_parser("notice", help="handle a notice of the update server, one line of JSON")
    commands.add_parser("listen", help="listen for orders of the update server at the message broker")


def _add_sync(commands: argparse._SubParsersAction[Parser]) -> None:
    sync = commands.add_parser("sync", help="fetch, adopt and apply the configuration of the update server")
    only = sync.add_mutually_exclusive_group()
    only.add_argument("--due", action="store_true", help="only if it is due and no scheduled update does it")
    only.add_argument("--adopted", action="store_true", help="fetch nothing, apply the adopted configuration")
    _add_json(sync)


def _add_report(commands: argparse._SubParsersAction[Parser]) -> None:
    report = commands.add_parser("report", help="report to the update server, now")
    report.add_argument("--due", action="store_true", help="only a report that is requested, or waits to be sent")
    _add_json(report)


def _add_switches(commands: argparse._SubParsersAction[Parser]) -> None:
    schedule = commands.add_parser("schedule", help="set the user's switch for scheduled updates")
    schedule.add_argument("switch", choices=("enable", "disable"), help="the new state")
    roaming = commands.add_parser("roaming", help="switch roaming on or off; a roaming endpoint takes no commands")
    roaming.add_argument("switch", choices=("on", "off"), help="the new state")


def _add_apply(commands: argparse._SubParsersAction[Parser]) -> None:
    apply = commands.add_parser("apply", help="converge this host to the JSON document on standard input")
    apply.add_argument("--check", action="store_true", help="change nothing, report what would change")
    apply.add_argument("--diff", action="store_true", help="add the differences to the report")
    apply.add_argument("--absent", action="store_true", help="remove every trace, read no document")
    apply.add_argument(
        "--digest", metavar="HEX", help=f"do nothing and exit with {exit_codes.STALE} if the agent has another digest"
    )


def _add_product(parser: argparse.ArgumentParser, words: str = "the product, instead of the first one") -> None:
    parser.add_argument("--product", metavar="NAME", help=words)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
