# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of real Debian machines on one host: systemd-nspawn over one shared root. Run as root on Linux.

    python3 fleet.py build                    the shared root (about 90 s, cached in $EPP_LAB)
    python3 fleet.py up N [--bare M]          boot n1..nN (systemd) and b1..bM (sysv style: cron and sshd, no systemd,
                                              no polkit); prints an Ansible inventory
    python3 fleet.py stop|kill|start MACHINE  shut one down cleanly, cut its power, boot it again
    python3 fleet.py down                     stop all and drop what they wrote

``--name`` (default epplab, at most 8 letters) and ``--subnet`` (default 10.77) let fleets live side by side.

A keeper process owns a fleet. It is the first process of its own process and mount namespaces, so that when it ends,
for whatever reason, the kernel ends every machine with it. It takes commands on a socket. What a killed keeper could
not tidy up (bridge, overlays), the next `up` or `down` does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import lab_root
from lab_host import claiming, gone, keeper_pid, make_bridge, make_room, sweep
from lab_keeper import keep
from lab_plan import Plan
from lab_root import LabError

BOOT_SECONDS = 30
NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")


class AlreadyUp(LabError):
    """A fleet of this name is up."""


class Fleet:
    """A running fleet, as its clients see it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @classmethod
    def up(cls, plan: Plan, *, follow: bool = False, boot: bool = True) -> tuple[Fleet, subprocess.Popen[bytes]]:
        """Start a fleet and its machines, and wait for every sshd.

        With ``follow`` it goes down when this process ends, without ``boot`` its machines are off until asked for.
        """
        root = lab_root.build()
        with claiming():
            if keeper_pid(plan.name):
                raise AlreadyUp(f"fleet {plan.name!r} is already up")
            sweep(plan.name)
            plan.directory.mkdir(parents=True)
            make_room()
            make_bridge(plan)
            (plan.directory / "plan.json").write_text(plan.to_json())
            process = _start_keeper(plan, root, ["--follow"] * follow + ["--boot"] * boot)
            (plan.directory / "pid").write_text(str(process.pid))
            fleet = cls(plan)
            fleet._wait_for_keeper()
        try:
            for machine in plan.machines if boot else ():
                fleet.wait_for_ssh(machine.name)
        except BaseException:
            log_text = (plan.directory / "keeper.log").read_text()
            fleet.down()
            if log_text:
                sys.stderr.write(log_text)
            raise
        return fleet, process

    @classmethod
    def find(cls, name: str) -> Fleet:
        try:
            return cls(Plan.from_json((lab_root.CACHE / "fleets" / name / "plan.json").read_text()))
        except FileNotFoundError:
            raise LabError(f"no fleet {name!r} is up") from None

    def boot(self, name: str) -> None:
        self._command("boot", name)
        self.wait_for_ssh(name)

    def boot_if_off(self, *names: str) -> None:
        """Boot those machines that were never booted (or wiped since), all at once."""
        fresh = [name for name in names if not self.plan.upper(name).exists()]
        for name in fresh:
            self._command("boot", name)
        for name in fresh:
            self.wait_for_ssh(name)

    def image(self, name: str) -> tuple[Path, list[str]]:
        """The tree of a machine that is off, and the words in front of a command that let it see that tree."""
        self._command("mount", name)
        entrance = ["nsenter", f"--mount=/proc/{keeper_pid(self.plan.name)}/ns/mnt"]
        return self.plan.directory / "machines" / name / "merged", entrance

    def stop(self, name: str) -> None:
        self._command("stop", name)

    def kill(self, name: str) -> None:
        self._command("kill", name)

    def wipe(self, name: str) -> None:
        self._command("wipe", name)

    def down(self) -> None:
        take_down(self.plan.name)

    def wait_for_ssh(self, name: str) -> None:
        address = self.plan.machine(name).address
        limit = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < limit:
            with contextlib.suppress(OSError), socket.create_connection((address, 22), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
            time.sleep(0.1)
        console = self.plan.directory / "machines" / name / "console.log"
        tail = console.read_text(errors="replace")[-800:] if console.exists() else "(it never started)"
        raise LabError(f"{name} does not answer at {address}:22 after {BOOT_SECONDS} s; its console:\n{tail}")

    def inventory(self) -> str:
        """An Ansible inventory (INI) of the fleet."""
        arguments = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        persistence = "-o ControlMaster=auto -o ControlPersist=120s -o ServerAliveInterval=5 -o ServerAliveCountMax=2"
        sockets = self.plan.directory / "ssh"
        lines = [
            f"{m.name} ansible_host={m.address} ansible_control_path={sockets}/root-{m.name}"
            for m in self.plan.machines
        ]
        return "\n".join(
            [
                *lines,
                "[systemd]",
                *(m.name for m in self.plan.machines if not m.bare),
                "[bare]",
                *(m.name for m in self.plan.machines if m.bare),
                "[all:vars]",
                "ansible_user=root",
                f"ansible_ssh_private_key_file={lab_root.KEY}",
                "ansible_python_interpreter=/usr/bin/python3",
                f'ansible_ssh_args="{arguments} {persistence}"',
                f"ansible_control_path_dir={sockets}",
                "ansible_pipelining=true",
                "ansible_ssh_use_tty=false",
                "",
            ]
        )

    def _wait_for_keeper(self) -> None:
        limit = time.monotonic() + BOOT_SECONDS
        while not (self.plan.directory / "control").exists():
            if time.monotonic() > limit:
                raise LabError(f"the keeper does not answer: {(self.plan.directory / 'keeper.log').read_text()}")
            time.sleep(0.02)

    def _command(self, verb: str, name: str) -> None:
        if name:
            self.plan.machine(name)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.plan.directory / "control"))
            with connection.makefile("rw") as stream:
                print(verb, name, file=stream, flush=True)
                answer = stream.readline().strip()
        if answer != "ok":
            raise LabError(f"{verb} {name}: {answer or 'the keeper is gone'}")


def _start_keeper(plan: Plan, root: Path, options: list[str]) -> subprocess.Popen[bytes]:
    with (plan.directory / "keeper.log").open("wb") as log:
        return subprocess.Popen(
            [*NAMESPACES, sys.executable, __file__, "keep", plan.name, *options],
            stdin=subprocess.PIPE if "--follow" in options else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "EPP_LAB_ROOT": str(root)},
        )


def take_down(name: str) -> None:
    """Stop the keeper of a fleet (and nothing else), then tidy up after it."""
    pid = keeper_pid(name)
    if pid:
        with contextlib.suppress(LabError, OSError):
            Fleet.find(name)._command("down", "")
        if not gone(name, seconds=30):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            gone(name, seconds=10)
    with claiming():
        if not keeper_pid(name):  # else a successor of the same name is up already
            sweep(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build")
    up = verbs.add_parser("up")
    up.add_argument("count", type=int)
    up.add_argument("--bare", type=int, default=0)
    up.add_argument("--subnet", default="10.77")
    up.add_argument("--name", default="epplab")
    for verb in ("stop", "kill", "start"):
        one = verbs.add_parser(verb)
        one.add_argument("machine")
        one.add_argument("--name", default="epplab")
    verbs.add_parser("down").add_argument("--name", default="epplab")
    keeper = verbs.add_parser("keep", help="internal: the process that owns a fleet")
    keeper.add_argument("name")
    keeper.add_argument("--follow", action="store_true")
    keeper.add_argument("--boot", action="store_true")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    reason = lab_root.why_not()
    if reason:
        raise LabError(reason)
    if arguments.verb == "build":
        print(lab_root.build())
    elif arguments.verb == "up":
        wanted = Plan.of(name=arguments.name, subnet=arguments.subnet, systemd=arguments.count, bare=arguments.bare)
        fleet, _keeper = Fleet.up(wanted)
        print(fleet.inventory(), end="")
    elif arguments.verb == "down":
        take_down(arguments.name)
    elif arguments.verb == "keep":
        plan = Fleet.find(arguments.name).plan
        root = Path(os.environ["EPP_LAB_ROOT"])
        keep(plan, root, boot=arguments.boot, until_closed=0 if arguments.follow else None)
    else:
        fleet = Fleet.find(arguments.name)
        {"stop": fleet.stop, "kill": fleet.kill, "start": fleet.boot}[arguments.verb](arguments.machine)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"fleet: {error}")
