# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook without its start: one process imports it, and every run is a fork of that process.

As a program it reads one request a line, ``{"argv": [...], "env": {...}, "streams": [PATH, PATH]}``, and answers each
with the exit code of its run. It ends with its input. What it packs of a module is kept from run to run.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_IN_EVERY_RUN = (
    "ansible.executor.playbook_executor",
    "ansible.executor.task_queue_manager",
    "ansible.plugins.action.normal",
    "ansible.plugins.connection.local",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
)


class PlaybookRunner:
    """The process that all runs are forks of; it starts with the first one."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        """``environment`` is what Ansible's settings are read from, once; ``directory`` is the runner's own."""
        self._streams = (directory / "stdout", directory / "stderr")
        self._environment = {**os.environ, **environment, "ANSIBLE_LOCAL_TEMP": str(directory / "local")}
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, argv: Sequence[str], environment: Mapping[str, str], *, seconds: float = 120) -> tuple[int, str]:
        """The exit code of one run and what it said, its errors last.

        Raises TimeoutError after so many ``seconds``, when everything of the run has been ended, and OSError.
        """
        request = {"argv": ["ansible-playbook", *argv], "env": dict(environment), "streams": [*map(str, self._streams)]}
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], seconds)[0]:
            self._process = None
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise TimeoutError(f"ansible-playbook takes more than {seconds:g} s: {self._said()}")
        answer = process.stdout.readline()
        if not answer:
            self._process = None
            raise OSError(f"the process that runs playbooks has ended with {process.wait()}: {self._said()}")
        return int(answer), self._said()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._streams[1].open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, __file__],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,  # a test's own may be closed, and Ansible needs one
                start_new_session=True,
            )

    def _said(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in self._streams if path.exists())

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate(timeout=60)


def _serve() -> None:
    from ansible.cli.playbook import main
    from ansible.config.manager import cleanup_tmp_file

    for name in _IN_EVERY_RUN:
        importlib.import_module(name)
    atexit.unregister(cleanup_tmp_file)  # what is kept from run to run lies there
    for line in sys.stdin.buffer:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(request)
            _have_a_directory()
            main(request["argv"])
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _have_a_directory() -> None:
    """A local temporary directory of this run alone, but for what is packed of modules."""
    from ansible import constants

    packed = Path(constants.DEFAULT_LOCAL_TMP, "packed")
    packed.mkdir(exist_ok=True)
    own = tempfile.mkdtemp(prefix="run-", dir=packed.parent.parent)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    Path(own, "ansiballz_cache").symlink_to(packed)
    constants.DEFAULT_LOCAL_TMP = own


def _become(run: dict[str, Any]) -> None:
    """Take on what is a process's own: its arguments, its environment and its streams."""
    sys.argv = run["argv"]
    os.environ.update(run["env"])
    files = [os.open(os.devnull, os.O_RDONLY)]
    files += [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600) for path in run["streams"]]
    for stream, file in enumerate(files):
        os.dup2(file, stream)
        os.close(file)


if __name__ == "__main__":
    _serve()
