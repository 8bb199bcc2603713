# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the steps run: the project's directories, its environments, and one way to start a program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from . import environments, interpreters, tree


class StepFailed(Exception):
    """A step did not pass; the message says which program, or what is missing."""


class Workbench:
    """The project at ``root``; everything made on the way lies in ``cache``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / ".cache"
        self.results = self.cache / "results"

    @cached_property
    def controller(self) -> interpreters.Interpreter:
        """The Python that Ansible and the tools run on."""
        return interpreters.controller()

    def tools(self, name: str = "test") -> Path:
        """The ``bin`` directory of the environment made from ``tests/requirements/<name>.txt``."""
        requirements = self.root / "tests" / "requirements" / f"{name}.txt"
        return self.environment(name, requirements)

    def environment(self, name: str, requirements: Path, python: interpreters.Interpreter | None = None) -> Path:
        """The ``bin`` directory of ``.cache/venv-<name>``, built when needed with this or the controller's Python."""
        return environments.ensure(self.cache / f"venv-{name}", requirements, python or self.controller)

    @cached_property
    def collections(self) -> Path:
        """A collections path that holds the work tree itself, through a link."""
        return tree.link(self.root, self.cache / "collections")

    @cached_property
    def copied(self) -> Path:
        """The collection's directory in a collections path of its own: a copy, made once a run."""
        return tree.copy(self.root, self.cache / "copy" / "collections")

    def variables(self, tools: Path, collections: Path | None = None, **more: str) -> dict[str, str]:
        """The environment of a program: the user's without Ansible's and Python's settings, ours in their place.

        ``collections`` is where collections are found, the work tree's link unless told otherwise.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
        found_in = str(collections or self.collections)
        ours = {
            "PATH": os.pathsep.join([str(tools), interpreters.search_path()]),
            "VIRTUAL_ENV": str(tools.parent),
            "LC_ALL": "C.UTF-8",  # ansible-core refuses a locale that is not UTF-8
            "PYTHONPATH": found_in,
            "ANSIBLE_COLLECTIONS_PATH": found_in,
            "ANSIBLE_HOME": str(self.cache / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "NO_COLOR": "1",  # steps read what programs say; molecule colors it wherever TERM names an xterm
        }
        return {**kept, **ours, **more}

    def run(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None = None, quiet: bool = False
    ) -> None:
        """Run a program to its end, its output on ours (its errors alone when quiet); StepFailed when it fails."""
        words = [str(word) for word in command]
        print("$", Path(words[0]).name, *words[1:], flush=True)
        output = subprocess.DEVNULL if quiet else None
        done = subprocess.run(
            words, cwd=cwd or self.root, env=env, stdin=subprocess.DEVNULL, stdout=output, check=False
        )
        if done.returncode:
            raise StepFailed(f"{Path(words[0]).name} ended with {done.returncode}")

    def log(self, command: Sequence[str | Path], log: Path, *, env: Mapping[str, str], cwd: Path) -> str:
        """As ``run``, and keep the output in ``log``; return it."""
        words = [str(word) for word in command]
        print("$", Path(words[0]).name, *words[1:], flush=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        with subprocess.Popen(
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line)
        log.write_text("".join(lines), encoding="utf-8")
        if process.returncode:
            raise StepFailed(f"{Path(words[0]).name} ended with {process.returncode}")
        return "".join(lines)
