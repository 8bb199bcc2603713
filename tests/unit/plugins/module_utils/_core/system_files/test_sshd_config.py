# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sshd's effective configuration means for the update server's login (N5); sshd itself is the judge."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.sshd_config import (
    Login,
    Obstacle,
    keys_files,
    obstacles,
    read_settings,
    remedy,
)

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
ED25519, RSA = f"ssh-ed25519 {68 * 'A'}", f"ssh-rsa {300 * 'A'}"
LOGIN = Login("epp-notify", ("epp-notify", "services"), "/var/lib/x", 990, "updates.example.com", "10.1.2.3")
ROOT = Login("root", ("root",), "/root", 0, "updates.example.com", "10.1.2.3")

SHUT = {
    "AllowUsers alice": "AllowUsers epp-notify",
    "AllowUsers epp-notify@10.9.*": "AllowUsers epp-notify",
    "AllowUsers epp-notify@!10.1.0.0/16,10.0.0.0/8": "AllowUsers epp-notify",
    "AllowGroups wheel adm": "AllowGroups epp-notify",
    "DenyUsers bob epp-*": "DenyUsers none",
    "DenyUsers epp-notify@10.1.0.0/16": "DenyUsers none",
    "DenyGroups serv?ces": "DenyGroups none",
    "AuthenticationMethods publickey,password": "AuthenticationMethods publickey",
    "PubkeyAuthentication no": "PubkeyAuthentication yes",
    "AuthorizedKeysFile none": "AuthorizedKeysFile .ssh/authorized_keys",
    "ForceCommand /bin/false": "ForceCommand none",
    "ChrootDirectory /srv": "ChrootDirectory none",
    "MaxSessions 0": "MaxSessions 10",
    "PubkeyAcceptedAlgorithms ssh-rsa,ecdsa-*": "PubkeyAcceptedAlgorithms +ssh-ed25519",
    "PubkeyAcceptedKeyTypes rsa-sha2-256": "PubkeyAcceptedKeyTypes +ssh-ed25519",
}
OPEN = (
    "",
    "PermitRootLogin no",
    "AllowUsers alice epp-*",
    "AllowUsers epp-notify@10.1.2.3",
    "AllowUsers *@updates.example.com",
    "AllowUsers epp-notify@10.0.0.0/8",
    "AllowGroups wheel services",
    "DenyUsers epp-notify@192.0.2.0/24",
    "AuthenticationMethods password,publickey publickey",
    "AuthenticationMethods any",
    "PubkeyAcceptedAlgorithms ssh-*",
)


def told(text: str) -> dict[str, tuple[str, ...]]:
    """As ``sshd -T`` tells these settings: a list's values on lines of their own."""
    lines = []
    for line in text.splitlines():
        keyword, _space, rest = line.partition(" ")
        one_each = keyword.lower() in ("allowusers", "denyusers", "allowgroups", "denygroups")
        lines += [f"{keyword.lower()} {value}" for value in (rest.split() if one_each else [rest])]
    return read_settings("\n".join(lines))


@pytest.mark.parametrize("text", SHUT)
def test_what_shuts_the_server_out_is_told_with_the_line_that_mends_it(text: str) -> None:
    (found,) = obstacles(told(text), LOGIN, ED25519)
    assert found.line == SHUT[text]
    assert text.partition(" ")[0] in found.why
    assert remedy([found], LOGIN).splitlines()[-1].strip() == found.line


@pytest.mark.parametrize("text", OPEN)
def test_what_lets_the_server_in_is_no_obstacle(text: str) -> None:
    assert obstacles(told(text), LOGIN, ED25519) == ()


@pytest.mark.parametrize(
    ("value", "shut"),
    [("yes", False), ("no", True), ("prohibit-password", False), ("without-password", False)],
)
def test_root_needs_to_be_let_in_at_all(value: str, shut: bool) -> None:
    assert bool(obstacles(told(f"PermitRootLogin {value}"), ROOT, ED25519)) is shut


def test_an_rsa_key_is_proved_by_other_names() -> None:
    assert obstacles(told("PubkeyAcceptedAlgorithms rsa-sha2-256"), LOGIN, RSA) == ()
    assert len(obstacles(told("PubkeyAcceptedAlgorithms ssh-rsa"), LOGIN, RSA)) == 1


def test_an_address_that_nobody_knows_shuts_nobody_out() -> None:
    unknown = Login("epp-notify", ("epp-notify",), "/var/lib/x")
    assert obstacles(told("AllowUsers epp-notify@10.0.0.0/8"), unknown, ED25519) == ()
    assert obstacles(told("DenyUsers epp-notify@10.0.0.0/8"), unknown, ED25519) == ()


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (".ssh/authorized_keys .ssh/authorized_keys2", ("/var/lib/x/.ssh/authorized_keys", None)),
        ("/etc/ssh/keys/%u", ("/etc/ssh/keys/epp-notify",)),
        ("%h/keys", ("/var/lib/x/keys",)),
        ("/srv/%U/100%%/%u", ("/srv/990/100%/epp-notify",)),
        ("/etc/ssh/everybody /etc/ssh/keys/%u", ("/etc/ssh/keys/epp-notify", "/etc/ssh/everybody")),
        ("none", ()),
    ],
)
def test_where_sshd_looks_for_keys(value: str, paths: tuple[str | None, ...]) -> None:
    found = keys_files(told(f"AuthorizedKeysFile {value}"), LOGIN)
    assert len(found) == len(paths)
    assert all(wanted in (None, path) for path, wanted in zip(found, paths))


@pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="sshd is not installed, or tells root alone")
@pytest.mark.parametrize("text", [text for text in SHUT if "KeyTypes" not in text])
def test_by_sshd_s_own_word_the_lines_mend_it(text: str, tmp_path: Path) -> None:
    """The lines come first, as in a file that is included before all else."""
    os.makedirs("/run/sshd", exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    included = tmp_path / "included.conf"
    configuration = tmp_path / "sshd_config"
    configuration.write_text(f"HostKey {tmp_path / 'key'}\nInclude {included}\n{text}\n")

    def found() -> tuple[Obstacle, ...]:
        place = f"user=epp-notify,host={LOGIN.host},addr={LOGIN.address},laddr=127.0.0.1,lport=22"
        argv = [str(SSHD), "-T", "-f", str(configuration), "-C", place]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/bin"})
        return obstacles(read_settings(done.stdout), LOGIN, ED25519)

    shut = found()
    assert [one.line for one in shut] == [SHUT[text]]
    included.write_text(remedy(shut, LOGIN) + "\n")
    assert found() == ()
