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
import fcntl
import ipaddress
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lab_root
from lab_root import LabError

# About five inotify instances a machine: the kernel's usual limit of 128 stops a fleet at 25.
INOTIFY_INSTANCES = 4096
BOOT_SECONDS = 30
NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")


class AlreadyUp(LabError):
    """A fleet of this name is up."""


@dataclass(frozen=True)
class Machine:
    """One machine of a fleet; ``bare`` has neither systemd as init nor polkit."""

    name: str
    address: str
    bare: bool = False


@dataclass(frozen=True)
class Plan:
    """What a fleet consists of, and where: equal in the keeper and in its clients."""

    name: str
    subnet: str
    machines: tuple[Machine, ...]

    @classmethod
    def of(cls, *, name: str, subnet: str, systemd: int, bare: int) -> Plan:
        if not name.isalnum() or len(name) > 8:
            raise LabError(f"fleet name {name!r}: at most 8 letters and digits")
        ipaddress.ip_network(f"{subnet}.0.0/16")
        nodes = [Machine(f"n{i}", f"{subnet}.1.{i}") for i in range(1, systemd + 1)]
        bares = [Machine(f"b{i}", f"{subnet}.2.{i}", bare=True) for i in range(1, bare + 1)]
        return cls(name=name, subnet=subnet, machines=(*nodes, *bares))

    @property
    def directory(self) -> Path:
        return lab_root.CACHE / "fleets" / self.name

    @property
    def gateway(self) -> str:
        return f"{self.subnet}.0.1"

    def machine(self, name: str) -> Machine:
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise LabError(f"no machine {name!r} in fleet {self.name!r}")

    def upper(self, name: str) -> Path:
        """Everything that a machine ever wrote outside its tmpfs mounts (seen from the host)."""
        return self.directory / "machines" / name / "upper"


# --- what the keeper does -------------------------------------------------------------------------------------------


def cgroup_root() -> Path:
    hybrid = Path("/sys/fs/cgroup/unified")
    return hybrid if hybrid.is_dir() else Path("/sys/fs/cgroup")


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
        _quietly("ip", "link", "del", f"vb-{self._plan.name}-{name}")
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
        _run(["mount", "-t", "overlay", "overlay", "-o", layers, str(merged)])
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
        _kill_group(group)
        process = self._running.pop(name, None)
        if process:
            process.wait(10)
        _drop_group(group)

    def wipe(self, name: str) -> None:
        """Cut the power and forget all that the machine ever wrote."""
        self.kill(name)
        home = self._plan.directory / "machines" / name
        if os.path.ismount(home / "merged"):
            _run(["umount", str(home / "merged")])
        shutil.rmtree(home, ignore_errors=True)

    def down(self) -> None:
        for machine in self._plan.machines:
            self.kill(machine.name)
        for machine in self._plan.machines:
            merged = self._plan.directory / "machines" / machine.name / "merged"
            if os.path.ismount(merged):
                _quietly("umount", "-l", str(merged))

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


def _kill_group(group: Path) -> None:
    if not group.is_dir():
        return
    (group / "cgroup.kill").write_text("1")
    for _try in range(100):
        if "populated 0" in (group / "cgroup.events").read_text():
            return
        time.sleep(0.05)
    raise LabError(f"processes in {group} survive SIGKILL")


def _drop_group(group: Path) -> None:
    for directory, _names, _files in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def keep(plan: Plan, root: Path, *, boot: bool, until_closed: int | None) -> None:
    """The keeper's main: boots the machines if told to, serves commands, and leaves nothing behind."""
    # A host with hybrid (v1 and v2) control groups can't boot systemd in a container: show it a plain v2 tree.
    if cgroup_root().name == "unified":
        _run(["umount", "-R", "/sys/fs/cgroup"])
        _run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"])
    keeper = Keeper(plan, root)
    try:
        for machine in plan.machines if boot else ():
            keeper.boot(machine.name)
        keeper.serve(until_closed=until_closed)
    finally:
        keeper.down()
        sweep(plan.name)


# --- what clients do ------------------------------------------------------------------------------------------------


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
        with _claiming():
            if _keeper_pid(plan.name):
                raise AlreadyUp(f"fleet {plan.name!r} is already up")
            sweep(plan.name)
            plan.directory.mkdir(parents=True)
            _make_room()
            _make_bridge(plan)
            (plan.directory / "plan.json").write_text(_plan_json(plan))
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
            return cls(_plan_from_json((lab_root.CACHE / "fleets" / name / "plan.json").read_text()))
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
        entrance = ["nsenter", f"--mount=/proc/{_keeper_pid(self.plan.name)}/ns/mnt"]
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


@contextlib.contextmanager
def _claiming() -> Iterator[None]:
    """Nobody else starts or tidies up a fleet meanwhile."""
    with (lab_root.CACHE / "fleets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
    pid = _keeper_pid(name)
    if pid:
        with contextlib.suppress(LabError, OSError):
            Fleet.find(name)._command("down", "")
        if not _gone(name, seconds=30):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _gone(name, seconds=10)
    with _claiming():
        if not _keeper_pid(name):  # else a successor of the same name is up already
            sweep(name)


def sweep(name: str) -> None:
    """Remove what a fleet without a keeper left on this host; safe to repeat."""
    group = cgroup_root() / name
    with contextlib.suppress(OSError):
        _kill_group(group)
    _drop_group(group)
    _quietly("ip", "link", "del", name)
    directory = lab_root.CACHE / "fleets" / name
    grave = directory.with_name(f".{name}-{os.getpid()}-{time.monotonic_ns()}")
    with contextlib.suppress(FileNotFoundError):
        directory.rename(grave)  # first, so that nothing of a successor's is removed with it
        shutil.rmtree(grave, ignore_errors=True)


def _keeper_pid(name: str) -> int | None:
    try:
        pid = int((lab_root.CACHE / "fleets" / name / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return pid if name.encode() in command and state != "Z" else None


def _gone(name: str, *, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while _keeper_pid(name):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def _make_room() -> None:
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < INOTIFY_INSTANCES:
        limit.write_text(str(INOTIFY_INSTANCES))


def _make_bridge(plan: Plan) -> None:
    _run(["ip", "link", "add", plan.name, "type", "bridge"])
    _run(["ip", "address", "add", f"{plan.gateway}/16", "dev", plan.name])
    _run(["ip", "link", "set", plan.name, "up"])


def _plan_json(plan: Plan) -> str:
    machines = [[m.name, m.address, m.bare] for m in plan.machines]
    return json.dumps({"name": plan.name, "subnet": plan.subnet, "machines": machines})


def _plan_from_json(text: str) -> Plan:
    raw = json.loads(text)
    return Plan(name=raw["name"], subnet=raw["subnet"], machines=tuple(Machine(*m) for m in raw["machines"]))


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stdout.strip()}")


def _quietly(*argv: str) -> None:
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


# --- the command ----------------------------------------------------------------------------------------------------


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
