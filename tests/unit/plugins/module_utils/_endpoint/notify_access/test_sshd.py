# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way in on a live host: sshd is asked once, and again when what it depends on has changed (N5)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.update_server import UpdateServer
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.notify_access import account
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.notify_access.sshd import WayIn, way_in
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.process import Completed

SERVER = UpdateServer("http://192.0.2.7/epp", ("x",), f"ssh-ed25519 {68 * 'A'}", "epp-notify")
FREE = "port 22\nstrictmodes no\nauthorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\n"


class Live(LocalHost):
    """A directory that passes for a running system, with an sshd that says what it is told to say."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.says, self.code, self.asked = FREE, 0, []

    @property
    def live(self) -> bool:
        return True

    def run(self, argv: Sequence[str], **_how: Any) -> Completed:
        self.asked.append(tuple(argv))
        return Completed(self.code, self.says if self.code == 0 else "", "line 3: Bad configuration option: x\n")


@pytest.fixture
def host(tmp_path: Path) -> Live:
    tmp_path.chmod(0o755)  # the root of a file system is open to all
    made = Live(tmp_path)
    for path, text in (
        ("/usr/sbin/sshd", "program"),
        ("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n"),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
    ):
        made.write(path, text.encode())
    return made


def looked(host: Live, server: UpdateServer = SERVER) -> WayIn:
    found = way_in(host, server)
    found.remember(host)
    return found


def test_sshd_is_asked_again_only_when_something_has_changed(host: Live) -> None:
    first = looked(host)
    assert (first.path, first.obstacles) == (f"{account.HOME}/.ssh/authorized_keys", ())
    assert [argv[:2] for argv in host.asked] == [("/usr/sbin/sshd", "-T")]
    assert "user=epp-notify,host=192.0.2.7,addr=192.0.2.7,laddr=127.0.0.1,lport=22" in host.asked[0]
    assert looked(host) == first
    assert len(host.asked) == 1
    for number, change in enumerate(
        (
            lambda: host.write("/etc/ssh/sshd_config", b"Include /etc/ssh/sshd_config.d/*.conf\n# x\n"),
            lambda: host.write("/etc/ssh/sshd_config.d/new.conf", b"Include /etc/ssh/more.conf\n"),
            lambda: host.write("/etc/ssh/more.conf", b"# x\n"),
            lambda: host.write("/usr/sbin/sshd", b"a new program"),
        ),
        start=2,
    ):
        change()
        assert looked(host) == looked(host)
        assert len(host.asked) == number
    looked(host, replace(SERVER, url="http://192.0.2.8/epp"))
    looked(host, replace(SERVER, notify_key=f"ecdsa-sha2-nistp256 {68 * 'A'}", url="http://192.0.2.8/epp"))
    assert len(host.asked) == 7


def test_an_answer_about_a_server_whose_address_is_not_known_does_not_last(host: Live) -> None:
    """Without a network, say: whether AllowUsers with an address lets it in, nobody has looked at."""
    host.says = FREE + "allowusers epp-notify@192.0.2.0/24\n"
    nowhere = replace(SERVER, url="http://nowhere.invalid/epp")
    assert [looked(host, nowhere).obstacles, looked(host, nowhere).obstacles] == [(), ()]
    assert len(host.asked) == 2


def test_another_port_is_the_one_that_is_asked_about(host: Live) -> None:
    host.says = FREE.replace("port 22", "port 2222")
    looked(host)
    assert [argv[-1].rpartition("=")[2] for argv in host.asked] == ["22", "2222"]


def test_an_obstacle_is_looked_at_each_time_and_names_the_file_for_its_line(host: Live) -> None:
    host.says = FREE + "allowusers alice\n"
    (why,) = looked(host).obstacles
    assert "sshd does not let epp-notify in: AllowUsers (alice) does not name epp-notify" in why
    assert "Add to /etc/ssh/sshd_config.d/00-epp-autoupdate.conf, and reload sshd:\n    AllowUsers epp-notify\n" in why
    assert "autoupdate_notify: false" in why
    looked(host)
    assert len(host.asked) == 2
    host.write("/etc/ssh/sshd_config", b"")
    assert "to /etc/ssh/sshd_config, above its first Match block" in looked(host).obstacles[0]


def test_what_sshd_does_not_say_is_an_obstacle_and_the_file_stays_where_it_was(host: Live) -> None:
    host.says = FREE.replace(".ssh/authorized_keys .ssh/authorized_keys2", "/etc/ssh/keys/%u")
    assert looked(host).path == "/etc/ssh/keys/epp-notify"
    host.code = 255
    host.write("/etc/ssh/sshd_config", b"x\n")
    found = looked(host)
    assert found.path == "/etc/ssh/keys/epp-notify"
    assert "(sshd -T): line 3: Bad configuration option: x" in found.obstacles[0]
    host.remove("/usr/sbin/sshd")
    assert "there is no sshd on this host" in looked(host).obstacles[0]


def test_one_file_for_everybody_is_not_ours(host: Live) -> None:
    host.says = FREE.replace(".ssh/authorized_keys .ssh/authorized_keys2", "/etc/ssh/everybody")
    found = looked(host)
    assert (found.path, found.shared, found.own) == ("/etc/ssh/everybody", True, False)


def test_an_account_of_the_host_s_is_never_taken(host: Live) -> None:
    host.write("/etc/passwd", b"epp-notify:x:1000:1000:Eve:/home/eve:/bin/bash\n")
    with pytest.raises(account.ForeignAccount, match="none of this collection's"):
        account.amiss(host, "epp-notify")


@pytest.mark.parametrize(
    ("entry", "secret", "amiss"),
    [
        (f"epp.autoupdate notices:{account.HOME}:/bin/sh", "*", False),
        (f"epp.autoupdate notices:{account.HOME}:/bin/sh", "!*", True),
        (f"epp.autoupdate notices:{account.HOME}:/usr/sbin/nologin", "*", True),
        ("epp.autoupdate notices:/tmp:/bin/sh", "*", True),
    ],
)
def test_an_account_that_was_locked_or_moved_is_amiss(host: Live, entry: str, secret: str, amiss: bool) -> None:
    host.write("/etc/passwd", f"epp-notify:x:990:990:{entry}\n".encode())
    host.write("/etc/shadow", f"epp-notify:{secret}:19000:::::\n".encode() + b"x:*:1::::::\n")
    host.write("/etc/shadow", f"epp-notify:{secret}:19000::::::\n".encode())
    assert bool(account.amiss(host, "epp-notify")) is amiss
    assert account.others(host, "") == ("epp-notify",)
    assert account.others(host, "epp-notify") == ()
