# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a virtual machine boots: the lab's root with Debian's own kernel and AppArmor, as a disk image.

Built once and cached beside the lab's roots; the directory's name carries a digest of the recipe.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import lab_root
from lab_root import LabError

PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs"}
"""What the machine that carries a virtual one needs besides the lab's programs: program -> Debian package."""
LABEL = "eppvm"
SIZE = "3G"

# Runs in a copy of the lab's root. Its time limits are those of a processor that is emulated.
SETUP = r"""
set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/initramfs-tools/conf.d /etc/systemd/system.conf.d
echo MODULES=list >/etc/initramfs-tools/conf.d/vm
apt-get update -qq
apt-get install -y -qq --no-install-recommends initramfs-tools udev apparmor
printf 'virtio_blk\next4\n' >>/etc/initramfs-tools/modules
apt-get install -y -qq --no-install-recommends linux-image-amd64
# Profiles of programs that are not there: each is compiled at each boot.
find /etc/apparmor.d -maxdepth 1 -type f ! -name usr.bin.freshclam ! -name usr.sbin.clamd -delete
printf '[Match]\nName=en*\n[Network]\nDHCP=yes\n' >/etc/systemd/network/20-vm.network
printf '[Manager]\nDefaultTimeoutStartSec=15min\nDefaultDeviceTimeoutSec=15min\n' >/etc/systemd/system.conf.d/vm.conf
printf 'LABEL=eppvm / ext4 errors=remount-ro 0 1\n' >/etc/fstab
systemctl mask -q getty@tty1.service serial-getty@ttyS0.service
# Nobody but a test sets the clock.
systemctl mask -q systemd-timesyncd.service
echo vm >/etc/hostname
: >/etc/resolv.conf
: >/etc/machine-id
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
"""


@dataclass(frozen=True)
class Image:
    """What a virtual machine boots: a kernel, its first file system, and a disk that nobody may write to."""

    directory: Path

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd.img"

    @property
    def disk(self) -> Path:
        return self.directory / "disk.raw"


def digest() -> str:
    recipe = (lab_root.digest(), LABEL, SIZE, SETUP)
    return hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:12]


def why_not() -> str:
    """The reason why this host can't carry a virtual machine, or an empty string."""
    missing = [f"{program} ({package})" for program, package in PROGRAMS.items() if not shutil.which(program)]
    if os.uname().machine != "x86_64":
        return "the virtual machine is an x86_64"
    return lab_root.why_not() or (f"not installed: {', '.join(missing)}" if missing else "")


def build() -> Image:
    """Return the image, after building it if it isn't there (some minutes, and 300 MB of packages)."""
    root = lab_root.build()
    image = Image(lab_root.CACHE / f"vm-{lab_root.SUITE}-{digest()}")
    with (lab_root.CACHE / "vm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.directory.is_dir():
            _build(root, image.directory)
    return image


def _build(root: Path, directory: Path) -> None:
    partial = directory.with_name(f"{directory.name}.partial")
    tree = partial / "root"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _run("cp", "-a", "--reflink=auto", str(root), str(tree))
        shutil.copyfile("/etc/resolv.conf", tree / "etc" / "resolv.conf")
        _run("chroot", str(tree), "sh", "-c", SETUP)
        for name in ("vmlinuz", "initrd.img"):
            (found,) = (tree / "boot").glob(f"{name}-*")
            shutil.copyfile(found, partial / name)
        _run("mke2fs", "-q", "-t", "ext4", "-L", LABEL, "-d", str(tree), str(partial / "disk.raw"), SIZE)
        shutil.rmtree(tree)
        partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LabError(f"{argv[0]} failed ({done.returncode}):\n{done.stdout[-3000:]}")
