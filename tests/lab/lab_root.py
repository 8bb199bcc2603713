# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's shared root: one Debian tree that every machine sees through its own overlay.

Built once and cached; the directory's name carries a digest of the recipe, so a changed recipe builds a new root.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

CACHE = Path(os.environ.get("EPP_LAB", "/var/tmp/epp-autoupdate-lab"))
SUITE = os.environ.get("EPP_LAB_SUITE", "trixie")
MIRROR = os.environ.get("EPP_LAB_MIRROR", "http://deb.debian.org/debian")
KEY = CACHE / "id"

# What the machine that carries the fleet needs: program -> Debian package.
HOST_PROGRAMS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "openssl": "openssl",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}

# What a suite calls otherwise, and a suite that an older debootstrap does not know yet, which is built as unstable is.
POLKIT = {"bullseye": "policykit-1"}.get(SUITE, "polkitd")
NGINX = {"bullseye": "nginx-core"}.get(SUITE, "nginx-light")  # Debian 11's light one can't limit connections
# Debian 14 packs the client apart.
SSH = {"forky": "openssh-server,openssh-client"}.get(SUITE, "openssh-server")
DEBOOTSTRAP_SCRIPTS = Path("/usr/share/debootstrap/scripts")

BASE = (
    f"systemd,systemd-sysv,dbus,{SSH},python3,cron,curl,ca-certificates,iproute2,sudo,tzdata,"
    f"libpam-systemd,{POLKIT},{NGINX},clamav,clamav-freshclam,clamav-daemon,clamdscan,prometheus-node-exporter,prometheus,"
    "python3-apt,python3-cffi-backend,python3-packaging,python3-paramiko,python3-prometheus-client,python3-venv,git"
)

# Runs in the new root. No service of a product is on by default: tests switch on what they are about.
SETUP = r"""
set -eu
systemctl disable -q clamav-freshclam clamav-daemon nginx prometheus prometheus-node-exporter
for unit in clamav-freshclam-once.service clamav-freshclam-once.timer; do # Debian 13 has them besides the daemon
  if [ -e "/usr/lib/systemd/system/$unit" ]; then
    systemctl disable -q "$unit"
  fi
done
for timer in apt-daily apt-daily-upgrade dpkg-db-backup fstrim e2scrub_all; do
  if [ -e "/usr/lib/systemd/system/$timer.timer" ] || [ -e "/lib/systemd/system/$timer.timer" ]; then
    systemctl disable -q "$timer.timer"
  fi
done
systemctl enable -q systemd-networkd
systemctl mask -q systemd-networkd-wait-online systemd-firstboot
groupadd epp-users
useradd -m -s /bin/bash -G epp-users alice
useradd -m -s /bin/bash bob
for user in root alice bob; do
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 700 -o "$user" -g "$user" "$home/.ssh"
  install -m 600 -o "$user" -g "$user" /lab-key.pub "$home/.ssh/authorized_keys"
done
rm /lab-key.pub
# Whether the textfile collector's directory exists is a test's choice.
mv /var/lib/prometheus /usr/share/lab-prometheus
printf 'UseDNS no\nMaxSessions 50\nMaxStartups 50\n' >/etc/ssh/sshd_config.d/lab.conf
# No machine of the lab has a name server: look-ups must fail at once, not after a timeout.
: >/etc/resolv.conf
# Each machine draws its own identity at its first boot.
: >/etc/machine-id
# The lab's databases are not the official ones that Debian's units of clamd insist on.
for unit in clamav-daemon.service clamav-daemon.socket; do
  mkdir -p "/etc/systemd/system/$unit.d"
  printf '[Unit]\nConditionPathExistsGlob=\n' >"/etc/systemd/system/$unit.d/lab.conf"
done
# A host whose init is not systemd: an address, cron, sshd, and nothing else.
cat >/usr/local/sbin/lab-init <<'INIT'
#!/bin/sh
ip link set lo up
ip addr add "$LAB_ADDRESS" dev host0
ip link set host0 up
mkdir -p /run/sshd /run/lock
cron
exec /usr/sbin/sshd -D
INIT
chmod 755 /usr/local/sbin/lab-init
rm -rf /var/lib/clamav/* /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
"""


class LabError(Exception):
    """The lab can't do what was asked; the text says why."""


def digest() -> str:
    return hashlib.sha256("\0".join((SUITE, MIRROR, BASE, SETUP)).encode()).hexdigest()[:12]


def path() -> Path:
    """Where the root of this recipe is (or would be)."""
    return CACHE / f"root-{SUITE}-{digest()}"


def why_not() -> str:
    """The reason why this host can't carry a fleet, or an empty string."""
    if os.uname().sysname != "Linux":
        return "machines need Linux"
    if os.geteuid() != 0:
        return "machines need root"
    missing = [program for program in HOST_PROGRAMS if not shutil.which(program)]
    if missing and not shutil.which("apt-get"):
        return f"not installed, and there is no apt to install them: {', '.join(missing)}"
    return ""


def prepare_host() -> None:
    """Install what this host lacks."""
    missing = {package for program, package in HOST_PROGRAMS.items() if not shutil.which(program)}
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"], env=environment)
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *sorted(missing)], env=environment)


def build() -> Path:
    """Return the root, after building it if it isn't there (about 90 s)."""
    root = path()
    if root.is_dir():  # one that is there is whole; another suite's may be in the making
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            prepare_host()
            _build(root)
        return root


def _build(root: Path) -> None:
    if not KEY.exists():
        _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(KEY)])
    partial = root.with_name(f"{root.name}.partial")
    _remove(partial)
    try:
        script = [] if (DEBOOTSTRAP_SCRIPTS / SUITE).exists() else [str(DEBOOTSTRAP_SCRIPTS / "sid")]
        _run(["debootstrap", "--variant=minbase", f"--include={BASE}", SUITE, str(partial), MIRROR, *script])
        shutil.copy(f"{KEY}.pub", partial / "lab-key.pub")
        _run(["chroot", str(partial), "sh", "-c", SETUP])
        partial.rename(root)
    finally:
        _remove(partial)


def _remove(partial: Path) -> None:
    """Remove a root whose making broke off, and first what debootstrap had mounted there then: never its content."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    places = [line.split()[4] for line in lines]
    for place in sorted((one for one in places if one.startswith(f"{partial}/")), reverse=True):
        _run(["umount", place])
    shutil.rmtree(partial, ignore_errors=True)


def _run(argv: list[str], **options: object) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        raise LabError(f"{argv[0]} failed ({done.returncode}):\n{done.stdout[-3000:]}")
