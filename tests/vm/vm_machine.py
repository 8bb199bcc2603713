# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One virtual machine: QEMU with a kernel, a disk and a clock of its own, and SSH on a port of the loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lab_root
from vm_image import LABEL, Image
from vm_monitor import ask

AGENT = "/usr/local/bin/epp-agent"
HOST = "10.0.2.2"
"""Where a virtual machine finds the loopback of its host."""
BOOT_S = 900
"""Seconds within which a machine answers, with a processor that is emulated and shared."""
COMMAND_S = 600
_KVM_TRIAL_S = 20
# The mitigations cost an emulated processor a third of its speed; five levels of pages cost it some more.
_PROCESSOR = {"kvm": "host", "tcg": "max,la57=off"}


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def accelerator(image: Image) -> str:
    """``kvm`` where the kernel boots with it, else ``tcg``: a /dev/kvm may be there and not fit for a usual kernel."""
    trial = [
        *("qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-no-reboot"),
        *("-display", "none", "-serial", "stdio", "-kernel", str(image.kernel), "-append", "console=ttyS0 panic=-1"),
    ]
    if not os.access("/dev/kvm", os.W_OK):
        return "tcg"
    try:
        done = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_KVM_TRIAL_S)
    except subprocess.TimeoutExpired:
        return "tcg"
    return "kvm" if b"Linux version" in done.stdout else "tcg"


class VirtualMachine:
    """A machine whose disk is a copy of the image; it is off until it is started."""

    name = "vm"

    def __init__(self, image: Image, directory: Path, accelerator: str) -> None:
        self.directory = directory
        self._image = image
        self._accelerator = accelerator
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self._disk = directory / "disk.raw"
        argv = ["cp", "--reflink=auto", "--sparse=always", str(image.disk), str(self._disk)]
        subprocess.run(argv, check=True)

    # --- power

    def start(self, *, clock: str = "") -> None:
        """Boot it and return when it answers.

        ``clock`` is what its hardware clock shows (``2035-06-01T08:00:00``, UTC), the true time unless told.
        """
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self._words(clock)],  # it ends with this process, however that ends
            stdin=subprocess.DEVNULL,
            stdout=(self.directory / "qemu.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        limit = time.monotonic() + BOOT_S
        while self.run("systemctl is-system-running --wait", check=False).code not in (0, 1):
            assert self._process.poll() is None, self._end_of("qemu.log")
            assert time.monotonic() < limit, f"it does not answer\n{self._end_of('console.log')}"
            time.sleep(2)

    def cut_power(self) -> None:
        """Off, and nothing that was not yet on its disk comes there; safe to repeat."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            (self.directory / "ssh").unlink(missing_ok=True)

    def discard(self) -> None:
        self.cut_power()
        shutil.rmtree(self.directory, ignore_errors=True)

    def set_clock(self, instant: str) -> None:
        """Set the system's clock, as somebody who corrects it does; the hardware's stays."""
        self.run(["date", "-u", "-s", instant])

    def clock(self) -> float:
        """Unix seconds by the machine's clock."""
        return float(self.run(["date", "+%s.%N"]).out)

    def suspend(self, *, until: float) -> None:
        """Suspend it to memory, at once, and wake it when its own clock shows ``until`` (Unix seconds)."""
        monitor = self.directory / "monitor"
        wakes = time.monotonic() + until - self.clock() + 1
        # On its own and a moment later, for the machine answers nobody then.
        self.run(["systemd-run", "-q", "--no-block", "sh", "-c", "sleep 2; echo mem >/sys/power/state"])
        while ask(monitor, "query-status")["status"] != "suspended":
            assert time.monotonic() < wakes, "it was not suspended in time"
            time.sleep(0.5)
        time.sleep(max(0.0, wakes - time.monotonic()))
        ask(monitor, "system_wakeup")
        assert self.clock() >= until

    # --- commands

    def run(self, argv: list[str] | str, *, check: bool = True) -> Done:
        """Run an argument list (a string: a shell's script) as root; ``check`` demands exit code 0."""
        words = ["sh", "-c", argv] if isinstance(argv, str) else argv
        line = shlex.join(["timeout", "-k", "5", str(COMMAND_S), *words])
        command = ["ssh", "-q", *self.ssh_options, "-p", str(self._port), f"root@{self.address}", line]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=COMMAND_S + 30
        )
        result = Done(done.returncode, done.stdout, done.stderr)
        assert not check or done.returncode == 0, f"{shlex.join(words)[:400]}: {result}"
        return result

    def agent(self, *words: str, check: bool = True) -> Done:
        return self.run([AGENT, *words], check=check)

    def status(self) -> dict[str, Any]:
        status = self.agent("status", "--json").json()
        assert isinstance(status, dict)
        return status

    def journal(self, *, unit: str = "") -> str:
        return self.run(["journalctl", "--no-pager", "-o", "short-iso", "-b", *(["-u", unit] if unit else [])]).out

    # --- how it is reached

    address = "127.0.0.1"

    @cached_property
    def ssh_options(self) -> list[str]:
        """Options of ssh. One connection for all: with an emulated processor, each new one takes seconds."""
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "ConnectTimeout": "60",
            "ControlMaster": "auto",
            "ControlPersist": "600",
            "ServerAliveInterval": "60",
            "ServerAliveCountMax": "10",
        }
        words = [f"-o{name}={value}" for name, value in options.items()]
        return ["-i", str(lab_root.KEY), f"-oControlPath={self.directory}/ssh", *words]

    def inventory(self) -> str:
        """An Ansible inventory (INI) of this machine alone."""
        host = f"{self.name} ansible_host={self.address} ansible_port={self._port} ansible_user=root"
        python = "ansible_python_interpreter=/usr/bin/python3 ansible_pipelining=true ansible_ssh_timeout=120"
        control = f"ansible_control_path={self.directory}/ssh"
        return f'{host} {python} {control} ansible_ssh_args="{shlex.join(self.ssh_options)}"\n'

    # --- private

    def _words(self, clock: str) -> list[str]:
        kernel = f"root=LABEL={LABEL} rw console=ttyS0 quiet mitigations=off nowatchdog"
        options = {
            "-machine": "pc",  # a q35 is suspended once: after that it does not find its power management again
            "-accel": self._accelerator,
            "-cpu": _PROCESSOR[self._accelerator],
            "-smp": "1",
            "-m": "1024",
            "-kernel": str(self._image.kernel),
            "-initrd": str(self._image.initrd),
            "-append": kernel,
            "-drive": f"file={self._disk},format=raw,if=virtio,cache=unsafe",
            "-netdev": f"user,id=net,hostfwd=tcp:{self.address}:{self._port}-:22",
            "-device": "virtio-net-pci,netdev=net,romfile=",
            "-object": "rng-random,id=random,filename=/dev/urandom",
            "-rtc": f"base={clock or 'utc'}",
            "-serial": f"file:{self.directory}/console.log",
            "-qmp": f"unix:{self.directory}/monitor,server=on,wait=off",
            "-display": "none",
        }
        words = [word for option in options.items() for word in option]
        return ["qemu-system-x86_64", "-nodefaults", "-no-reboot", *words, "-device", "virtio-rng-pci,rng=random"]

    def _end_of(self, log: str) -> str:
        return (self.directory / log).read_text(errors="replace")[-3000:]


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((VirtualMachine.address, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def off_at_the_end(machine: VirtualMachine) -> Iterator[VirtualMachine]:
    """The machine; nothing of it is left after the block."""
    try:
        yield machine
    finally:
        machine.discard()
