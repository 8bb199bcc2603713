# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server's line in a user's authorized_keys: there, mended, replaced, and gone without a trace (N5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.authorized_keys import (
    authorized_line,
    with_line,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.notify_access.authorized_keys import UnsafePath
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.user_files import Account, change_file
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

from ..sync.conftest import Managed

OTHERS = b"# the administrators\nssh-ed25519 " + 68 * b"B" + b" admin@example\n\nssh-rsa " + 80 * b"C" + b" backup"


OWN = "var/lib/epp-autoupdate-notify"


class Access:
    """The file of root, as whom the server notifies here."""

    def __init__(self, managed: Managed) -> None:
        self.managed = managed
        self.key = managed.publisher.public["a"]
        self.path = managed.sandbox.root / "root/.ssh/authorized_keys"
        (managed.sandbox.root / "root").mkdir()
        managed.section.update(notify_key=self.key, notify_user="root")

    @property
    def line(self) -> bytes:
        return f'restrict,command="/usr/local/bin/epp-agent notice" {self.key} epp-update-server\n'.encode()

    def others(self, mode: int = 0o640) -> None:
        self.path.parent.mkdir(mode=0o711)
        self.path.write_bytes(OTHERS)
        self.path.chmod(mode)


@pytest.fixture
def access(managed: Managed) -> Access:
    return Access(managed)


def test_the_line_is_made_with_its_file_and_folder(access: Access) -> None:
    foretold = access.managed.converge(check=True)
    assert not access.path.exists()
    done = access.managed.converge()
    assert done.to_result() == foretold.to_result()
    assert done.to_result()["changes"][-1] == {"path": "/root/.ssh/authorized_keys", "action": "create"}
    assert done.to_result()["diff"][-1]["after"].encode() == access.line
    assert access.path.read_bytes() == access.line
    assert (access.path.stat().st_mode & 0o777, access.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not access.managed.converge().changed


def test_others_lines_order_and_mode_stay(access: Access) -> None:
    access.others()
    access.managed.converge()
    assert access.path.read_bytes() == OTHERS + b"\n" + access.line
    assert (access.path.stat().st_mode & 0o777, access.path.parent.stat().st_mode & 0o777) == (0o640, 0o711)
    access.path.write_bytes(access.line + OTHERS)
    assert not access.managed.converge().changed


EDITS = {
    "without restrictions": lambda line: line.partition(b'" ')[2],
    "another command": lambda line: line.replace(b"epp-agent notice", b"sh"),
    "twice, once with everything allowed": lambda line: line.partition(b'" ')[2].replace(b"epp-update", b"x") + line,
    "gone": lambda line: b"",
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_is_mended_in_its_place(access: Access, edit: str) -> None:
    access.managed.converge()
    access.path.write_bytes(b"first\n" + EDITS[edit](access.line) + (b"last\n" if edit != "gone" else b""))
    assert access.managed.converge().changed
    assert access.path.read_bytes() == b"first\n" + access.line + (b"last\n" if edit != "gone" else b"")


def test_another_key_takes_the_old_one_s_place(access: Access) -> None:
    access.others()
    access.managed.converge()
    access.key = access.managed.section["notify_key"] = access.managed.publisher.public["b"]
    access.managed.converge()
    assert access.path.read_bytes() == OTHERS + b"\n" + access.line


@pytest.mark.parametrize("how", ["absent", "no key", "no server"])
def test_it_goes_and_nothing_else_does(access: Access, how: str) -> None:
    access.others()
    access.managed.converge()
    if how == "absent":
        foretold = remove(access.managed.sandbox.host, check=True)
        assert access.line in access.path.read_bytes()
        assert remove(access.managed.sandbox.host, check=False).to_result() == foretold.to_result()
    elif how == "no key":
        del access.managed.section["notify_key"]
        access.managed.converge()
        assert not access.managed.converge().changed
    else:
        access.managed.sandbox.converge()
        assert not access.managed.sandbox.converge().changed
    assert access.path.read_bytes() == OTHERS + b"\n"


def test_an_account_of_our_own_gets_it_and_the_former_one_loses_it(access: Access) -> None:
    access.others()
    access.managed.converge()
    del access.managed.section["notify_user"]  # the default
    foretold = access.managed.converge(check=True)
    assert access.managed.converge().to_result() == foretold.to_result()
    assert access.path.read_bytes() == OTHERS + b"\n"
    own = access.managed.sandbox.root / OWN / ".ssh/authorized_keys"
    assert own.read_bytes() == access.line
    assert [path.stat().st_mode & 0o777 for path in (own, own.parent, own.parent.parent)] == [0o644, 0o755, 0o755]
    assert not access.managed.converge().changed
    access.managed.section["notify_user"] = "root"
    access.managed.converge()
    assert not (access.managed.sandbox.root / OWN).exists()
    assert access.path.read_bytes() == OTHERS + b"\n" + access.line
    assert not access.managed.converge().changed


@pytest.mark.parametrize("how", ["absent", "no key", "no server"])
def test_what_is_our_own_is_mended_as_a_whole_and_goes_as_a_whole(access: Access, how: str) -> None:
    root = access.managed.sandbox.root
    del access.managed.section["notify_user"]
    access.managed.converge()
    own = root / OWN / ".ssh/authorized_keys"
    own.write_bytes(OTHERS + b"\n" + own.read_bytes())
    own.chmod(0o666)
    own.parent.chmod(0o777)
    assert [change.path for change in access.managed.converge().changes] == [
        f"/{OWN}/.ssh",
        f"/{OWN}/.ssh/authorized_keys",
    ]
    assert (own.read_bytes(), own.stat().st_mode & 0o777) == (access.line, 0o644)
    if how == "absent":
        remove(access.managed.sandbox.host, check=False)
    elif how == "no key":
        del access.managed.section["notify_key"]
        access.managed.converge()
    else:
        access.managed.sandbox.converge()
    assert not (root / OWN).exists()
    assert not list(root.glob("etc/systemd/system/**/epp-notice*"))


def test_systemd_hands_notices_over_by_a_socket_and_cron_hosts_by_one_line_of_sudoers(access: Access) -> None:
    """N5: exactly the notice entry, for exactly this account."""
    root = access.managed.sandbox.root
    access.managed.section["notify_user"] = "epp-other"
    access.managed.converge(scheduler="systemd")
    socket = (root / "etc/systemd/system/epp-notice.socket").read_text()
    assert "\nSocketGroup=epp-other\nSocketMode=0660\n" in socket
    assert os.readlink(root / "etc/systemd/system/sockets.target.wants/epp-notice.socket") == (
        "/etc/systemd/system/epp-notice.socket"
    )
    sudoers = root / "etc/sudoers.d/epp-autoupdate-notice"
    assert not sudoers.exists()
    access.managed.converge(scheduler="cron")
    rule = [line for line in sudoers.read_text().splitlines() if "NOPASSWD" in line or "Cmnd_Alias" in line]
    assert rule == [
        "Cmnd_Alias EPP_AUTOUPDATE_NOTICE = /usr/local/bin/epp-agent notice",
        "epp-other ALL = (root) NOPASSWD: EPP_AUTOUPDATE_NOTICE",
    ]
    assert sudoers.stat().st_mode & 0o777 == 0o440
    assert not list(root.glob("etc/systemd/system/**/epp-notice*"))


@pytest.mark.parametrize("place", ["authorized_keys", ".ssh"])
def test_a_link_is_not_followed(access: Access, place: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "authorized_keys").write_bytes(OTHERS)
    if place == ".ssh":
        access.path.parent.symlink_to(elsewhere)
    else:
        access.path.parent.mkdir()
        access.path.symlink_to(elsewhere / "authorized_keys")
    before = access.managed.sandbox.tree()
    with pytest.raises(UnsafePath, match="is a symbolic link, which is not followed"):
        access.managed.converge(limits={"update": "20m"})
    assert access.managed.sandbox.tree() == before
    assert (elsewhere / "authorized_keys").read_bytes() == OTHERS
    remove(access.managed.sandbox.host, check=False)
    assert (elsewhere / "authorized_keys").read_bytes() == OTHERS


class PretendingLive(LocalHost):
    """A directory whose owners matter as they do on a live host."""

    @property
    def live(self) -> bool:
        return True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owners_are_kept_and_strangers_files_left_alone(tmp_path: Path) -> None:
    host = PretendingLive(str(tmp_path))
    home = tmp_path / "home/epp"
    home.mkdir(parents=True)
    owner = Account("/home/epp", 1234, 1235)

    def add(content: bytes) -> bytes:
        return content + b"x\n"

    change_file(host, owner, ".ssh", "authorized_keys", add)
    file = home / ".ssh/authorized_keys"
    for path in (file, file.parent):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)
    change_file(host, owner, ".ssh", "authorized_keys", add)
    assert (file.read_bytes(), file.stat().st_uid) == (b"x\nx\n", 1234)
    os.chown(file, 0, 0)
    change_file(host, owner, ".ssh", "authorized_keys", add)
    assert file.stat().st_uid == 0
    for path in (file, file.parent):
        os.chown(path, 4321, 4321)
        with pytest.raises(PermissionError, match="belongs to somebody else"):
            change_file(host, owner, ".ssh", "authorized_keys", add)
        os.chown(path, 1234, 1235)


def test_a_home_that_the_system_has_made_a_link(access: Access) -> None:
    """Systems of ostree have ``/root`` lead to ``/var/roothome``."""
    root = access.managed.sandbox.root
    (root / "root").rmdir()
    (root / "var/roothome").mkdir(parents=True)
    (root / "root").symlink_to("var/roothome")
    access.managed.converge()
    assert (root / "var/roothome/.ssh/authorized_keys").read_bytes() == access.line
    assert not access.managed.converge().changed
    remove(access.managed.sandbox.host, check=False)
    assert (root / "var/roothome/.ssh/authorized_keys").read_bytes() == b""


def test_a_link_that_is_put_there_at_the_last_moment(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "home/.ssh").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError):  # noqa: PT011  the system's own words
        change_file(
            LocalHost(str(tmp_path)), Account("/home", None, None), ".ssh", "authorized_keys", lambda c: c + b"x"
        )
    assert list((tmp_path / "secret").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\n", b"#x\n", b"x", b"x\r\ny\r\n", b"\xff\xfe\n"])
def test_putting_it_in_and_taking_it_out_again(content: bytes) -> None:
    line: Any = authorized_line("ssh-ed25519 " + 68 * "A", command="/usr/local/bin/epp-agent notice")
    there = with_line(content, line)
    assert there.endswith(line.encode() + b"\n")
    assert with_line(there, line) == there
    assert with_line(there, None) == (content if not content or content.endswith(b"\n") else content + b"\n")
