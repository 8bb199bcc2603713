# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The help of both programs: every command and every argument is described, on a terminal of 80 columns."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.cli import parser as agent
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import parser as server


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its commands, however deep."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


COMMANDS = [*parsers(agent._parser()), *parsers(server._parser(""))]


def test_both_programs_have_commands_and_those_have_commands() -> None:
    assert {"epp-agent sync", "epp-server tree explain", "epp-server endpoints pin"} <= {each.prog for each in COMMANDS}


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_the_help_fits_a_terminal_of_80_columns(parser: argparse.ArgumentParser) -> None:
    assert [line for line in parser.format_help().splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_a_command_and_each_of_its_arguments_are_described(parser: argparse.ArgumentParser) -> None:
    assert (parser.description or "").rstrip()[-1:] == "."
    arguments = [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    assert [action.dest for action in arguments if not action.help] == []


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_the_help_of_a_command_stands_beside_its_name(parser: argparse.ArgumentParser) -> None:
    lines = parser.format_help().splitlines()
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    names = [name for action in actions for name in action.choices]
    assert [name for name in names if f"    {name}" in lines] == []
