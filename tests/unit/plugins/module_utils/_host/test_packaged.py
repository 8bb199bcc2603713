# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files below /etc came with packages, by the databases of package managers."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.packaged import PackagedFiles

STATUS = """\
Package: rkhunter
Status: install ok installed
Conffiles:
 /etc/cron.daily/rkhunter 7be1ac8ea2b7ec1d7a8d5d4ee2c1a3a9
 /etc/cron.d/old 3aab7d9c8d1c2d3f2f1b7e7e4a4d5c11 obsolete
 /etc/cron.d/new newconffile
Description: a scanner
 /etc/cron.d/mentioned
 /etc/cron.d/spoken of in words
"""
HASHES = "d41d8cd98f00b204e9800998ecf8427e  /etc/cron.d/clamav-freshclam\n"
LIST = "/.\n/etc\n/etc/cron.hourly\n/etc/cron.hourly/vendor\n/opt/vendor/updater\n"
APK = """\
P:clamav
F:etc
F:etc/init.d
R:freshclam
a:0:0:755
R:clamd
F:etc/periodic/daily
R:scan

P:x
F:etc/init.d
R:x
"""
DATABASES = {
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/vendor-agent.list": LIST,
    "var/lib/ucf/hashfile": HASHES,
    "lib/apk/db/installed": APK,
}
OWNED = {
    "/etc/cron.daily/rkhunter": True,
    "/etc/cron.d/old": True,
    "/etc/cron.d/new": True,
    "/etc/cron.d/clamav-freshclam": True,
    "/etc/cron.hourly/vendor": True,
    "/etc/init.d/freshclam": True,
    "/etc/init.d/clamd": True,
    "/etc/init.d/x": True,
    "/etc/periodic/daily/scan": True,
    "/etc/init.d/scan": False,
    "/etc/periodic/daily/x": False,
    "/etc/cron.d/mentioned": False,
    "/etc/cron.hourly/vendo": False,
    "/etc/cron.daily/rkhunte": False,
    "/etc/cron.d/clamav": False,
    "/etc/cron.d/.*": False,
}


@pytest.fixture
def packaged(tmp_path: Path) -> PackagedFiles:
    for path, text in DATABASES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return PackagedFiles(LocalHost(str(tmp_path)))


@pytest.mark.parametrize(("path", "owned"), OWNED.items())
def test_a_file(packaged: PackagedFiles, path: str, owned: bool) -> None:
    assert packaged.has(path) is owned


def test_without_a_package_manager_nothing_is_packaged(tmp_path: Path) -> None:
    assert not PackagedFiles(LocalHost(str(tmp_path))).has("/etc/crontab")


def test_this_machine_knows_its_own_files() -> None:
    """Where dpkg is, its own daily script is in its database; a name that nobody has is not."""
    host = LocalHost()
    if not host.exists("/var/lib/dpkg/status"):
        pytest.skip("this machine has no dpkg")
    files = PackagedFiles(host)
    assert files.has("/etc/cron.daily/dpkg")
    assert not files.has("/etc/cron.d/epp-nobody-brought-this")
