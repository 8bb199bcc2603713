# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that owns a fleet: it mounts, boots and stops machines, and takes commands on a socket.

It is the first process of its own process and mount namespaces, so when it ends, for whatever reason, the kernel ends
every machine with it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from lab_host import cgroup_root, drop_group, kill_group, quietly, run, sweep
from lab_plan import Machine, Plan
from lab_root import LabError


class Keeper:
    """Owns a fleet inside its own mount namespace; every public method is one command."""

    def __init__(self, plan: Plan, root: Path) -> None:
        self._plan = plan
        self._root = root
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(plan.directory / "control"))
        self._door.listen()

    def boot(self, name: str) -> None:
        machine = self._plan.machine(name)
        if self._alive(name):
            raise LabError(f"{name} is running")
        self.mount(name)
        home = self._plan.directory / "machines" / name
        # The kernel takes a dead machine's network apart when it finds the time; the new one's has the same name.
        quietly("ip", "link", "del", f"vb-{self._plan.name}-{name}")
        with (home / "console.log").open("ab") as console:
            self._running[name] = subprocess.Popen(
                _nspawn(home / "merged", machine, self._plan),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: _enter(_cgroup(self._plan, name)),
            )

    def mount(self, name: str) -> None:
        """Make the machine's tree where it is not there yet, and leave the machine off."""
        home = self._plan.directory / "machines" / name
        merged = home / "merged"
        if os.path.ismount(merged):
            return
        for part in ("upper", "work", "merged"):
            (home / part).mkdir(parents=True, exist_ok=True)
        layers = f"lowerdir={self._root},upperdir={home}/upper,workdir={home}/work"
        run(["mount", "-t", "overlay", "overlay", "-o", layers, str(merged)])
        _furnish(merged, self._plan.machine(name), self._plan)

    def stop(self, name: str) -> None:
        """Shut down cleanly; after 20 s like ``kill``."""
        process = self._running.get(name)
        if process and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        self.kill(name)

    def kill(self, name: str) -> None:
        """Cut the power."""
        group = _cgroup(self._plan, name)
        kill_group(group)
        process = self._running.pop(name, None)
        if process:
            process.wait(10)
        drop_group(group)

    def wipe(self, name: str) -> None:
        """Cut the power and forget all that the machine ever wrote."""
        self.kill(name)
        home = self._plan.directory / "machines" / name
        if os.path.ismount(home / "merged"):
            run(["umount", str(home / "merged")])
        shutil.rmtree(home, ignore_errors=True)

    def down(self) -> None:
        for machine in self._plan.machines:
            self.kill(machine.name)
        for machine in self._plan.machines:
            merged = self._plan.directory / "machines" / machine.name / "merged"
            if os.path.ismount(merged):
                quietly("umount", "-l", str(merged))

    def serve(self, *, until_closed: int | None) -> None:
        """Take commands until one says down, or until the file descriptor ``until_closed`` reaches its end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._door, selectors.EVENT_READ)
            if until_closed is not None:
                selector.register(until_closed, selectors.EVENT_READ)
            while True:
                for key, _events in selector.select():
                    if key.fileobj is not self._door or self._answer() == "down":
                        return

    def _answer(self) -> str:
        """Carry out one command and return its verb."""
        connection, _peer = self._door.accept()
        with connection, connection.makefile("rw") as stream:
            verb, _space, name = stream.readline().strip().partition(" ")
            commands = {
                "boot": self.boot,
                "mount": self.mount,
                "stop": self.stop,
                "kill": self.kill,
                "wipe": self.wipe,
                "down": lambda _name: None,
            }
            try:
                commands[verb](name)
                answer = "ok"
            except (KeyError, LabError, OSError, subprocess.SubprocessError) as error:
                answer = f"{type(error).__name__}: {error}".replace("\n", " ")
            with contextlib.suppress(BrokenPipeError):
                print(answer, file=stream, flush=True)
        return verb

    def _alive(self, name: str) -> bool:
        process = self._running.get(name)
        return process is not None and process.poll() is None


def _nspawn(merged: Path, machine: Machine, plan: Plan) -> list[str]:
    common = [
        "systemd-nspawn", "-q", "-D", str(merged), "--register=no", "--keep-unit", "--console=pipe",
        f"--network-bridge={plan.name}", f"--machine={plan.name}-{machine.name}", f"--hostname={machine.name}",
        "--resolv-conf=off", "--timezone=off",
    ]  # fmt: skip
    if machine.bare:
        return [*common, f"--setenv=LAB_ADDRESS={machine.address}/16", "--as-pid2", "/usr/local/sbin/lab-init"]
    return [*common, "--boot"]


def _furnish(merged: Path, machine: Machine, plan: Plan) -> None:
    (merged / "etc/hostname").write_text(f"{machine.name}\n")
    (merged / "etc/hosts").write_text(f"127.0.0.1 localhost {machine.name}\n")
    network = merged / "etc/systemd/network/10-host0.network"
    network.parent.mkdir(parents=True, exist_ok=True)
    network.write_text(
        f"[Match]\nName=host0\n[Network]\nAddress={machine.address}/16\nGateway={plan.gateway}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
    if machine.bare:
        for path in ("usr/share/polkit-1", "etc/polkit-1", "usr/lib/polkit-1"):
            shutil.rmtree(merged / path, ignore_errors=True)
        for program in ("pkexec", "pkcheck", "pkaction", "pkttyagent"):
            (merged / "usr/bin" / program).unlink(missing_ok=True)


def _cgroup(plan: Plan, name: str) -> Path:
    # A group of its own for every machine: two systemds in one group would take each other's units for their own.
    return Path("/sys/fs/cgroup") / plan.name / name


def _enter(group: Path) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text("0")


def keep(plan: Plan, root: Path, *, boot: bool, until_closed: int | None) -> None:
    """The keeper's main: boots the machines if told to, serves commands, and leaves nothing behind."""
    # A host with hybrid (v1 and v2) control groups can't boot systemd in a container: show it a plain v2 tree.
    if cgroup_root().name == "unified":
        run(["umount", "-R", "/sys/fs/cgroup"])
        run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"])
    keeper = Keeper(plan, root)
    try:
        for machine in plan.machines if boot else ():
            keeper.boot(machine.name)
        keeper.serve(until_closed=until_closed)
    finally:
        keeper.down()
        sweep(plan.name)
