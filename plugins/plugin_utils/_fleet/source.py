# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the list of endpoints comes from: the update server's own command, here or over OpenSSH, or a file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.epp.autoupdate.plugins.module_utils._core.exit_codes import DENIED
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import shown
from ansible_collections.epp.autoupdate.plugins.module_utils._host.process import Completed, run
from ansible_collections.epp.autoupdate.plugins.module_utils._server.paths import SERVER, USER

LARGEST = 256 * 1024 * 1024
"""Bytes of a list of endpoints: 100,000 of them take a quarter of it."""
_SSH_FAILED = 255
_NOT_FOUND = 127
_LINES = 3
_ROLE = "apply the role epp.autoupdate.server to that host first"


class NoFleet(RuntimeError):
    """There is no list of endpoints; the message says where, what was found, and what to do."""


@dataclass(frozen=True)
class Command:
    """The update server's command ``endpoints --json``.

    ``server`` is what OpenSSH is asked to connect to, empty for this host. ``root`` is a directory that stands for the
    server's file system. ``become`` runs it by sudo as the user ``become_user``. ``timeout`` is in seconds. The command
    is always the same, so that a key or a rule of sudo can allow it alone.
    """

    server: str = ""
    ssh_arguments: Sequence[str] = ()
    become: bool = False
    become_user: str = USER
    root: str = ""
    timeout: float = 60.0

    @property
    def place(self) -> str:
        """What messages call it."""
        return shown(self.server or self.root or "this host")

    def argv(self) -> list[str]:
        """The command as it is started here."""
        if not self.server:
            return self._own()
        # BatchMode: an inventory is read without anybody who could be asked. The remote side gets one text in any case.
        ssh = ["ssh", "-T", "-o", "BatchMode=yes", *self.ssh_arguments, "--", self.server]
        return [*ssh, shlex.join(self._own())]

    def _own(self) -> list[str]:
        sudo = ["sudo", "-n", "-u", self.become_user, "--"] if self.become else []
        root = ["--root", self.root] if self.root else []
        return [*sudo, self.root.rstrip("/") + SERVER, *root, "endpoints", "--json"]


def asked(command: Command, environment: Mapping[str, str] | None = None) -> str:
    """What the server prints, which is one line of JSON; raises NoFleet."""
    _refuse_options(command)
    argv = command.argv()
    try:
        done = run(
            argv,
            timeout=command.timeout,
            env={**(os.environ if environment is None else environment), "LC_ALL": "C"},
            keep=LARGEST,
        )
    except FileNotFoundError:
        missing = "OpenSSH's client (ssh) is not installed on the control node" if command.server else _missing(command)
        raise NoFleet(f"{command.place}: {missing}") from None
    except OSError as error:
        raise NoFleet(f"{command.place}: {argv[0]} can't be started: {error}") from error
    if done.timed_out:
        advice = f"see whether `{_by_hand(command)}` answers, or set a longer timeout"
        raise NoFleet(f"{command.place}: there was no answer within {command.timeout:.0f} s; {advice}")
    if done.code != 0:
        raise NoFleet(f"{command.place}: {_complaint(command, done)}")
    if len(done.out) >= LARGEST:
        raise NoFleet(f"{command.place}: the answer is larger than {LARGEST} bytes, and so no list of endpoints")
    return done.out.strip().rpartition("\n")[2]  # what a login shell says of itself comes before it


def read(path: str) -> str:
    """A file that the command, or the module ``fleet_info``, has filled; raises NoFleet."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        advice = "write it with `epp-server endpoints --json` on the update server, or with the module fleet_info"
        raise NoFleet(f"{shown(path)}: it can't be read ({error.strerror or error}); {advice}") from error
    if len(content) > LARGEST:
        raise NoFleet(f"{shown(path)}: it is larger than {LARGEST} bytes, and so no list of endpoints")
    return content.decode("utf-8", "replace")


def _refuse_options(command: Command) -> None:
    """Refuse a destination that ssh would take for an option, or that is more than one word."""
    server = command.server
    if server and (server.startswith("-") or not server.isprintable() or len(server.split()) != 1):
        raise NoFleet(f"server: {shown(server)!r} is not a name of a host for ssh (try updates.example.com)")


def _complaint(command: Command, done: Completed) -> str:
    """Why there is no list, and what to do about it."""
    said = "; ".join(shown(line) for line in done.err.strip().splitlines()[-_LINES:])
    why = said or f"the command {done.ended} and said nothing"
    if command.server and done.code == _SSH_FAILED:
        return f"ssh failed: {why}. It has to work without a password: try `{_by_hand(command)}`"
    if done.code == _NOT_FOUND:
        return f"{_missing(command)} ({why})"
    if done.code == DENIED or (not command.become and "ermission denied" in said):
        return f"{why}. Log in as root or as {USER}, or set become: true"
    if command.become and said.startswith("sudo:"):
        return f"{why}. The login needs the right to run {SERVER} as {command.become_user} without a password"
    return why


def _missing(command: Command) -> str:
    return f"there is no {command.root.rstrip('/')}{SERVER}: {_ROLE}" + ("" if command.server else ", or set server")


def _by_hand(command: Command) -> str:
    """The command as somebody would type it, to see what is wrong."""
    return shown(shlex.join(command.argv()))
