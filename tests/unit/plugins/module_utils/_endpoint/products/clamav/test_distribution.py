# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What distributions call ClamAV's parts is found on the host; settings come first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import ClamavSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.distribution import found_on
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

FAMILIES = {
    "Debian": ("clamav", "/etc/clamav/clamd.conf"),
    "Red Hat": ("clamupdate", "/etc/clamd.d/scan.conf"),
    "SUSE": ("vscan", "/etc/clamd.conf"),
}
OPEN = ClamavSettings()


def put(root: Path, path: str, content: str = "") -> None:
    (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
    (root / path[1:]).write_text(content)


def with_accounts(root: Path, **accounts: int) -> None:
    lines = (f"{name}:x:{uid}:{uid}::/nonexistent:/bin/false\n" for name, uid in accounts.items())
    put(root, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n" + "".join(lines) + "+::::::\n")


@pytest.mark.parametrize(("owner", "config"), FAMILIES.values(), ids=FAMILIES)
def test_each_family_by_its_account_and_its_file(tmp_path: Path, owner: str, config: str) -> None:
    with_accounts(tmp_path, daemon=1, **{owner: 96})
    put(tmp_path, config)
    found = found_on(LocalHost(str(tmp_path)), OPEN)
    assert (found.database_owner, found.clamd_config) == (owner, config)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory to another user")
def test_the_directory_says_best_whose_the_databases_are(tmp_path: Path) -> None:
    with_accounts(tmp_path, clamav=95, clamupdate=96)
    directory = tmp_path / "var/lib/clamav"
    directory.mkdir(parents=True)
    host = LocalHost(str(tmp_path))
    for uid, owner in ((96, "clamupdate"), (0, "clamav"), (4711, "clamav")):  # root's and a stranger's say nothing
        os.chown(directory, uid, uid)
        assert found_on(host, OPEN).database_owner == owner


def test_what_is_set_comes_first_and_what_is_nowhere_is_as_on_debian(tmp_path: Path) -> None:
    host = LocalHost(str(tmp_path))
    found = found_on(host, OPEN)
    assert (found.database_owner, found.clamd_config) == FAMILIES["Debian"]
    given = ClamavSettings(database_owner="virus", clamd_config="/opt/clamd.conf")
    with_accounts(tmp_path, clamupdate=96)
    put(tmp_path, "/etc/clamd.conf")
    assert found_on(host, given) == given
