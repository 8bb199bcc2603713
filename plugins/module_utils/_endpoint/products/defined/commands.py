# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the commands of a definition are run: bounded in time and output, as the user that they are for."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection, Mapping, Sequence

from ...._core.masking import without_arguments
from ...._core.products.arguments import PATHS, Setting, expanded
from ...._core.products.meanings import Ending, Meaning
from ...._core.products.steps import Step, ending_of
from ...._core.untrusted_text import LONGEST_WORD, shown
from ...._core.values import frozen
from ...._host.accounts import ids_of
from ...._host.host import Completed, Host

SETPRIV = "/usr/bin/setpriv"
_KEPT = 1024 * 1024
"""Bytes of each output stream."""
_SECRET = 64 * 1024


@frozen
class Ran:
    """How a command ended, with its output where it was started."""

    ending: Ending
    completed: Completed | None = None

    @property
    def output(self) -> str:
        return self.completed.out if self.completed else ""


@frozen
class Commands:
    """Runs commands on a host with these values of placeholders."""

    host: Host
    values: Mapping[str, Setting]

    def step(self, step: Step, timeout: float, paths: Sequence[str] = ()) -> Ran:
        """Run one command in at most ``timeout`` seconds, or in its own limit; never an error."""
        argv = expanded(step.command, {**self.values, PATHS: tuple(paths)})
        limit = max(0.0, min(timeout, step.timeout))
        try:
            secrets = {name: self._secret(path) for name, path in step.secrets.items()}
            done = self.run(argv, limit, user=step.user, environment={**step.environment, **secrets})
        except OSError as error:
            return Ran(_not_started(step, argv[0], error))
        if done.timed_out:
            return Ran(Ending(Meaning.FAILED, f"{argv[0]} took longer than {limit:.0f} s and was ended"), done)
        ending = Ending(Meaning.FAILED)
        if done.code >= 0:
            ending = ending_of(step, done.code, f"{done.out}\n{done.err}", self.host.now())
        if ending.means.good or ending.means is Meaning.FOUND:
            return Ran(ending, done)
        return Ran(Ending(ending.means, _why(ending, done, argv, secrets.values()), ending.until), done)

    def run(
        self, argv: tuple[str, ...], timeout: float, *, user: str = "", environment: Mapping[str, str] | None = None
    ) -> Completed:
        """Run an argument list without placeholders; raises OSError where it can't be started."""
        if user and self.host.live and not self.host.exists(argv[0]):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        return self.host.run((*self._as_user(user), *argv), timeout=timeout, env=dict(environment or {}), keep=_KEPT)

    def _as_user(self, user: str) -> tuple[str, ...]:
        """What starts a command as another user; in a directory that stands for a host nobody is another."""
        if not user or not self.host.live:
            return ()
        ids = ids_of(user)
        if ids is None:
            raise OSError(0, f"the user {user} does not exist on this host")
        return (SETPRIV, f"--reuid={ids[0]}", f"--regid={ids[1]}", "--init-groups", "--")

    def _secret(self, path: str) -> str:
        content = self.host.peek(path, _SECRET)
        if content is None:
            raise OSError(0, "the file of a secret can't be read", path)
        text = content.decode("utf-8", "replace").strip()
        if "\0" in text:
            raise OSError(0, "the file of a secret holds no text", path)
        return text


class Deadline:
    """When a run has to be through, on a clock that nobody sets."""

    def __init__(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout

    @property
    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())


def _not_started(step: Step, program: str, error: OSError) -> Ending:
    if step.optional and isinstance(error, FileNotFoundError):
        return Ending(Meaning.OK)
    where = error.filename if isinstance(error.filename, str) else program
    return Ending(Meaning.FAILED, f"{where}: {error.strerror or error}")


def _why(ending: Ending, done: Completed, argv: tuple[str, ...], secrets: Collection[str]) -> str:
    said = (done.err.strip() or done.out.strip()).splitlines()
    last = without_arguments(said[-1].strip(), (argv[0], *secrets, *argv[1:])) if said else ""
    last = f": {shown(last, LONGEST_WORD)}" if last else ""
    how = f"{argv[0]} {done.ended}{last}"
    return f"{ending.why} ({how})" if ending.why else how
