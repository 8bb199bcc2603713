# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the command lines of both programs have in common."""

from __future__ import annotations

import argparse
from typing import Any

from .._core import exit_codes

_HELP_WIDTH = 80


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width: to ask for the terminal's, argparse would import shutil at each start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_HELP_WIDTH)

    def add_argument(self, action: argparse.Action) -> None:
        """Commands keep their help beside their names, which argparse measures without the indentation."""
        super().add_argument(action)
        for command in self._iter_indented_subactions(action):
            self._action_max_length = max(self._action_max_length, len(command.dest) + self._current_indent)


class _Commands(argparse._SubParsersAction):  # type: ignore[type-arg]  # noqa: SLF001  # no subscript on Python 3.9
    """Commands whose own help begins with what the list of commands says of them."""

    def add_parser(self, name: str, **options: Any) -> Any:
        words = options["help"]
        return super().add_parser(name, **{"description": f"{words[0].upper()}{words[1:]}.", **options})


class Parser(argparse.ArgumentParser):
    """A parser whose errors end with the status for a wrong command line.

    ``--root`` may be given before or after each command, however deep; ``first`` is the parser of the program itself.
    """

    def __init__(self, *, first: bool = False, **options: Any) -> None:
        super().__init__(formatter_class=_Help, **options)
        self.register("action", "parsers", _Commands)
        told = "work on this directory instead of /" if first else argparse.SUPPRESS
        self.add_argument("--root", default="" if first else argparse.SUPPRESS, metavar="DIR", help=told)

    def error(self, message: str) -> None:  # type: ignore[override]  # exits, as the original does
        self.exit(exit_codes.USAGE, f"{self.format_usage()}{self.prog.partition(' ')[0]}: {message}\n")
