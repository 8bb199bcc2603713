# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One machine of the fleet, as the tests see it."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import lab_root
from fleet import Fleet

AGENT = "/usr/local/bin/epp-agent"
LONGEST_COMMAND = 150
"""Seconds after which a command on a machine is ended (exit code 124): no test may hang."""

_REPORTED = """\
i=0
while [ -e /run/epp-autoupdate/report-requested ]; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.1; done
[ ! -e /run/epp-autoupdate/report.lock ] || flock -w 30 /run/epp-autoupdate/report.lock true
"""

# What a machine writes by itself, whether or not anybody touches it.
OWN_NOISE = (
    "/etc/.pwd.lock",
    "/root/.ansible",
    "/run",
    "/tmp",
    "/var/lib/systemd/random-seed",
    "/var/lib/systemd/timers",
    "/var/log",
    "/var/tmp",
)


@dataclass(frozen=True)
class Done:
    """A finished command."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class CommandFailed(AssertionError):
    """A command that had to succeed did not."""


class Node:
    """A machine; commands run as root unless a user is named."""

    def __init__(self, fleet: Fleet, name: str, hosts: Callable[[str], Any]) -> None:
        self.name = name
        self.machine = fleet.plan.machine(name)
        self._fleet = fleet
        self._hosts = hosts

    def run(self, argv: list[str] | str, *, user: str = "root", check: bool = True, stdin: str = "") -> Done:
        """Run an argument list (a string: a shell's script); ``check`` demands exit code 0."""
        words = ["sh", "-c", argv] if isinstance(argv, str) else argv
        line = shlex.join(["timeout", "-k", "5", str(LONGEST_COMMAND), *words])
        if stdin:
            line = f"printf %s {shlex.quote(stdin)} | {line}"
        return self._finish(words, self._login(user, words, line), check=check)

    def write(self, path: str, content: str, *, mode: str = "0644", owner: str = "root") -> None:
        self._module("copy", dest=path, content=content, mode=mode, owner=owner)

    def read(self, path: str) -> str:
        return self.run(["cat", path]).out

    def written(self, path: str) -> bytes:
        """The content of a regular file that this machine wrote; nothing where it is not one of those."""
        file = self._fleet.plan.upper(self.name) / path.lstrip("/")
        return file.read_bytes() if file.is_file() and not file.is_symlink() else b""

    def exists(self, path: str) -> bool:
        return self.run(["test", "-e", path], check=False).code == 0

    def wait(self, condition: str, *, seconds: float = 30, why: str = "") -> None:
        """Poll a shell condition on the machine itself until it holds."""
        polls = max(1, int(seconds / 0.2))
        script = f"i=0; until {condition}; do i=$((i+1)); [ $i -lt {polls} ] || exit 99; sleep 0.2; done"
        if self.run(script, check=False).code:
            raise AssertionError(f"{self.name}: not within {seconds:g} s: {why or condition}\n{self.journal()[-3000:]}")

    def journal(self, *, unit: str = "", since: float = 0) -> str:
        argv = ["journalctl", "--no-pager", "-o", "short-precise", "-b"]
        argv += ["-u", unit] if unit else []
        argv += [f"--since=@{int(since)}"] if since else []
        return self.run(argv, check=False).out

    # --- the agent

    def agent(self, *words: str, user: str = "root", check: bool = True, stdin: str = "") -> Done:
        return self.run([AGENT, *words], user=user, check=check, stdin=stdin)

    def agent_status(self) -> dict[str, Any]:
        status = self.agent("status", "--json").json()
        assert isinstance(status, dict)
        return status

    def agent_run(self, trigger: str, *, check: bool = False) -> Done:
        return self.agent("run", "--trigger", trigger, "--json", check=check)

    def apply(self, document: dict[str, Any], *words: str, check: bool = True) -> Done:
        """Converge by the agent itself (it must be installed)."""
        return self.agent("apply", *words, stdin=json.dumps({"format": 1, **document}), check=check)

    # --- power

    def power_off(self) -> None:
        self._drop_connections()
        self._fleet.stop(self.name)

    def cut_power(self) -> None:
        self._drop_connections()
        self._fleet.kill(self.name)

    def boot(self) -> None:
        self._fleet.boot(self.name)

    def renew(self) -> None:
        """A fresh machine of the same name: nothing of what was ever written is left."""
        self._drop_connections()
        self._fleet.wipe(self.name)
        self._fleet.boot(self.name)

    def discard(self) -> None:
        """Off, and nothing is left of it; whoever asks for it next has a fresh one."""
        self._drop_connections()
        self._fleet.wipe(self.name)

    # --- the file system

    def manifest(self, *, but: tuple[str, ...] = OWN_NOISE) -> dict[str, str]:
        """All that differs from the shared root: path -> type, mode, owner, size, mtime and digest.

        Read from the overlay's upper layer, which holds every write to every path outside the tmpfs mounts. A report
        that a converge has just requested is waited for.
        """
        if self.written("/etc/epp-autoupdate/endpoint.json"):
            self.run(_REPORTED)
        upper, root = self._fleet.plan.upper(self.name), lab_root.path()
        found: dict[str, str] = {}
        for directory, names, files in os.walk(upper):
            for name in (*names, *files):
                path = Path(directory, name)
                inside = f"/{path.relative_to(upper)}"
                own = any(inside == noise or inside.startswith(f"{noise}/") for noise in but)
                if not own and not _as_before(path, root / inside[1:]):
                    found[inside] = _describe(path)
        return found

    # --- private

    def _module(self, module: str, **arguments: Any) -> dict[str, Any]:
        answer = dict(getattr(self._hosts(self.name), module)(**arguments)[self.name])
        if answer.get("failed"):
            raise CommandFailed(f"{self.name}: {module}: {answer.get('msg')}")
        return answer

    def _ssh(self, user: str) -> list[str]:
        control = self._fleet.plan.directory / "ssh" / f"{user}-{self.name}"
        control.parent.mkdir(exist_ok=True)
        return [
            "ssh", "-q", "-i", str(lab_root.KEY), f"-oControlPath={control}",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "ControlMaster=auto", "-o", "ControlPersist=120s",
            "-o", "ServerAliveInterval=5", f"{user}@{self.machine.address}",
        ]  # fmt: skip

    def _login(self, user: str, words: list[str], line: str) -> Done:
        """By ssh itself: the thousands of commands of a session would each cost a process of Ansible."""
        done = subprocess.run(
            [*self._ssh(user), line],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=LONGEST_COMMAND + 10,
        )
        return Done(tuple(words), done.returncode, done.stdout, done.stderr)

    def _finish(self, words: list[str], done: Done, *, check: bool) -> Done:
        if check and done.code:
            raise CommandFailed(f"{self.name}: {shlex.join(words)[:400]}: exit {done.code}\n{done.out}\n{done.err}")
        return done

    def _drop_connections(self) -> None:
        """Multiplexed connections to a machine that goes away would hang their next user."""
        for control in (self._fleet.plan.directory / "ssh").glob(f"*-{self.name}"):
            argv = ["ssh", "-q", "-O", "exit", "-o", f"ControlPath={control}", self.machine.address]
            subprocess.run(argv, capture_output=True, check=False)


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The paths of two manifests that differ, each with what it was and what it is."""
    paths = before.keys() | after.keys()
    return {path: (before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)}


def _as_before(path: Path, original: Path) -> bool:
    """Whether this is as it is in the shared root: a directory in which something came or went, a link put back."""
    here = path.lstat()
    try:
        there = original.lstat()
    except OSError:
        return False
    same = (here.st_mode, here.st_uid, here.st_gid) == (there.st_mode, there.st_uid, there.st_gid)
    if stat.S_ISLNK(here.st_mode):
        return same and os.readlink(path) == os.readlink(original)
    return same and stat.S_ISDIR(here.st_mode)


def _describe(path: Path) -> str:
    facts = path.lstat()
    words = [stat.filemode(facts.st_mode), f"{facts.st_uid}:{facts.st_gid}"]
    if stat.S_ISDIR(facts.st_mode):
        return " ".join(words)  # its mtime says no more than the names below it, which are listed
    words += [str(facts.st_size), str(facts.st_mtime_ns)]
    if stat.S_ISREG(facts.st_mode):
        words.append(hashlib.sha256(path.read_bytes()).hexdigest())
    elif stat.S_ISLNK(facts.st_mode):
        words.append(os.readlink(path))
    return " ".join(words)


def eventually(probe: Callable[[], Any], *, seconds: float, why: str, pause: float = 0.5) -> Any:
    """Return the first truthy value of ``probe``, or fail after ``seconds``."""
    limit = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:g} s: {why} (last: {value!r})")
        time.sleep(pause)
