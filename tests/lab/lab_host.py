# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet has on the host that carries it: a bridge, control groups, a directory; made, found and swept away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import lab_root
from lab_plan import Plan
from lab_root import LabError

# About five inotify instances a machine: the kernel's usual limit of 128 stops a fleet at 25.
INOTIFY_INSTANCES = 4096


def cgroup_root() -> Path:
    hybrid = Path("/sys/fs/cgroup/unified")
    return hybrid if hybrid.is_dir() else Path("/sys/fs/cgroup")


@contextlib.contextmanager
def claiming() -> Iterator[None]:
    """Nobody else starts or tidies up a fleet meanwhile."""
    with (lab_root.CACHE / "fleets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep(name: str) -> None:
    """Remove what a fleet without a keeper left on this host; safe to repeat."""
    group = cgroup_root() / name
    with contextlib.suppress(OSError):
        kill_group(group)
    drop_group(group)
    quietly("ip", "link", "del", name)
    directory = lab_root.CACHE / "fleets" / name
    grave = directory.with_name(f".{name}-{os.getpid()}-{time.monotonic_ns()}")
    with contextlib.suppress(FileNotFoundError):
        directory.rename(grave)  # first, so that nothing of a successor's is removed with it
        shutil.rmtree(grave, ignore_errors=True)


def keeper_pid(name: str) -> int | None:
    try:
        pid = int((lab_root.CACHE / "fleets" / name / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return pid if name.encode() in command and state != "Z" else None


def gone(name: str, *, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while keeper_pid(name):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def kill_group(group: Path) -> None:
    if not group.is_dir():
        return
    (group / "cgroup.kill").write_text("1")
    for _try in range(100):
        if "populated 0" in (group / "cgroup.events").read_text():
            return
        time.sleep(0.05)
    raise LabError(f"processes in {group} survive SIGKILL")


def drop_group(group: Path) -> None:
    for directory, _names, _files in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def make_room() -> None:
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < INOTIFY_INSTANCES:
        limit.write_text(str(INOTIFY_INSTANCES))


def make_bridge(plan: Plan) -> None:
    run(["ip", "link", "add", plan.name, "type", "bridge"])
    run(["ip", "address", "add", f"{plan.gateway}/16", "dev", plan.name])
    run(["ip", "link", "set", plan.name, "up"])


def run(argv: list[str]) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stdout.strip()}")


def quietly(*argv: str) -> None:
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
