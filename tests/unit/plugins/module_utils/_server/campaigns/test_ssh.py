# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server's key can do on an endpoint, tried with a real sshd that allows everything but for the key's line."""

from __future__ import annotations

import builtins
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.authorized_keys import authorized_line
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import SendOutcome, SendResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.process import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Notifier, Target
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.select import select_notifier
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import ensure_key

from .conftest import SandboxEndpoint, Sshd, current_user, free_port

ORDER = UpdateCommand("campaign-1", "1")
pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="ssh is not installed")


class Client:
    """OpenSSH's client with the server's key, which asks for whatever a thief of that key would."""

    def __init__(self, host: LocalHost, server: Sshd) -> None:
        self._key = host.real("/keys/notify")
        self._server = server

    def argv(self, *options: str, program: str = "ssh") -> list[str]:
        known = "-oUserKnownHostsFile=/dev/null"
        base = ["-F", "/dev/null", "-i", self._key, known, "-oStrictHostKeyChecking=no", "-oBatchMode=yes"]
        return [program, *base, "-oIdentitiesOnly=yes", "-oLogLevel=INFO", *options]

    def run(self, *command: str, options: tuple[str, ...] = (), **more: Any) -> subprocess.CompletedProcess[str]:
        port = ("-p", str(self._server.port))
        argv = [*self.argv(*port, *options), f"{current_user()}@127.0.0.1", *command]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, **{"input": "", **more})


@pytest.fixture
def notifier(ssh_settings: NotifySettings, server_host: LocalHost) -> Notifier:
    pytest.importorskip("paramiko", reason="paramiko is not installed")
    ensure_key(server_host, "/keys/notify")
    return select_notifier(ssh_settings, server_host)


@pytest.fixture
def server(sshd: Callable[..., Sshd], endpoint: SandboxEndpoint) -> Sshd:
    return sshd(f"{endpoint.agent} --root {endpoint.root} notice")


@pytest.fixture
def client(server_host: LocalHost, server: Sshd) -> Client:
    return Client(server_host, server)


@pytest.fixture
def echo() -> Iterator[int]:
    """A port of this host on which somebody listens, whom a tunnel would reach."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            while True:
                connection, _address = listener.accept()
                connection.sendall(b"reached\n")
                connection.close()
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()


def test_the_key_delivers_a_notice(client: Client, endpoint: SandboxEndpoint) -> None:
    assert '"result": "updated"' in client.run(input=ORDER.to_line().decode()).stdout
    assert endpoint.taken() == ["campaign-1"]


@pytest.mark.parametrize("command", [(), ("id",), ("sh", "-c", "id"), ("epp-agent", "--root", "/", "status", "--json")])
def test_no_shell_and_no_other_command(client: Client, endpoint: SandboxEndpoint, command: tuple[str, ...]) -> None:
    done = client.run(*command, input="id\n")
    assert (done.returncode, done.stdout) == (64, "")
    assert "the notice is not JSON" in done.stderr
    assert endpoint.runs() == 0


def test_no_terminal(client: Client) -> None:
    assert "PTY allocation request failed" in client.run(options=("-tt",)).stderr


def test_no_tunnel_out_of_the_endpoint(client: Client, echo: int) -> None:
    done = client.run(options=("-W", f"127.0.0.1:{echo}"))
    assert done.returncode != 0
    assert "reached" not in done.stdout
    assert "administratively prohibited" in done.stderr


def test_no_tunnel_into_the_server(client: Client, echo: int) -> None:
    forward = ("-oExitOnForwardFailure=yes", "-R", f"{free_port()}:127.0.0.1:{echo}")
    done = client.run(options=forward, input=ORDER.to_line().decode())
    assert done.returncode == 255
    assert "remote port forwarding failed" in done.stderr


@pytest.mark.heavy
def test_no_sftp_and_no_scp(client: Client, server: Sshd, tmp_path: Path, endpoint: SandboxEndpoint) -> None:
    stolen = tmp_path / "stolen"
    where = f"{current_user()}@127.0.0.1:/etc/hostname"
    # Both at a time: each waits until the endpoint no longer waits for the end of its line.
    thieves = []
    for program in ("sftp", "scp"):
        argv = client.argv("-P", str(server.port), program=program)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        thieves.append(subprocess.Popen([*argv, where, str(stolen)], **quiet))
    assert all(thief.wait(60) != 0 for thief in thieves)
    assert not stolen.exists()
    assert endpoint.runs() == 0


@pytest.mark.parametrize("restricted", [True, False])
def test_no_agent_is_forwarded(
    sshd: Callable[..., Sshd], server_host: LocalHost, tmp_path: Path, restricted: bool
) -> None:
    """Without ``restrict`` the same sshd forwards it, so the test can tell."""
    public = ensure_key(server_host, "/keys/notify")
    line = authorized_line(public, command="/usr/bin/env")
    server = sshd("", line=line if restricted else line.replace("restrict,", ""))
    place = str(tmp_path / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(place) and agent.poll() is None:
            pass
        done = Client(server_host, server).run(options=("-A",), env={**os.environ, "SSH_AUTH_SOCK": place})
    finally:
        agent.terminate()
        agent.wait(20)
    assert "SSH_CONNECTION=" in done.stdout
    assert ("SSH_AUTH_SOCK=" in done.stdout) is not restricted


def test_what_the_client_asked_for_means_nothing(client: Client, endpoint: SandboxEndpoint) -> None:
    done = client.run("epp-agent run --trigger manual", input=ORDER.to_line().decode())
    assert '"trigger": "download"' in done.stdout


def test_a_changed_host_key_is_a_result_of_its_own(notifier: Notifier, server: Sshd, endpoint: SandboxEndpoint) -> None:
    target = Target("n1", server.address, server.host_key)
    server.change_host_key()
    told = notifier.notify(target, ORDER, timeout=60)
    assert told.outcome.send_result is SendResult.HOST_KEY_CHANGED
    assert "pinned" in told.outcome.reason
    assert endpoint.taken() == []
    log = (server.directory / "log").read_text()
    assert "Accepted publickey" not in log
    assert "userauth" not in log.lower(), "to another host the server does not even show its key"


def test_who_has_not_been_pinned_yet_is_not_even_connected_to_and_is_tried_again(notifier: Notifier) -> None:
    """An endpoint is registered before its first converge shows its key: a version of that moment reaches it, too."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        told = notifier.notify(Target("n1", f"127.0.0.1:{listening.getsockname()[1]}"), ORDER, timeout=60)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert told.outcome == SendOutcome(
        SendResult.NOT_REACHED, reason="no host key has been pinned for this endpoint yet"
    )


@pytest.mark.parametrize("pinned", ["ssh-ed25519", "ssh-ed25519 !!!", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7"])
def test_without_the_right_pin_nobody_is_talked_to(
    notifier: Notifier, server: Sshd, endpoint: SandboxEndpoint, pinned: str
) -> None:
    told = notifier.notify(Target("n1", server.address, pinned), ORDER, timeout=60)
    assert told.outcome.send_result is SendResult.HOST_KEY_CHANGED
    assert endpoint.taken() == []


def test_a_key_that_the_endpoint_does_not_know_reaches_nothing(
    server_host: LocalHost, ssh_settings: NotifySettings, server: Sshd, endpoint: SandboxEndpoint
) -> None:
    pytest.importorskip("paramiko", reason="paramiko is not installed")
    ensure_key(server_host, "/keys/other")
    stranger = select_notifier(replace(ssh_settings, key="/keys/other"), server_host)
    told = stranger.notify(Target("n1", server.address, server.host_key), ORDER, timeout=60)
    assert told.outcome.send_result is SendResult.REFUSED
    assert "refused: sshd does not accept the notify key for " in told.outcome.reason
    assert endpoint.taken() == []


REFUSING = {
    "DenyUsers *": "does not accept the notify key for",
    "AllowUsers nobody-else": "does not accept the notify key for",
    "AllowGroups no-such-group": "does not accept the notify key for",
    "PubkeyAuthentication no\nPasswordAuthentication yes": "does not accept the notify key for",
    "AuthorizedKeysFile /nonexistent/%u": "does not accept the notify key for",
    "PermitRootLogin no": "does not accept the notify key for",
    "PasswordAuthentication yes\nAuthenticationMethods publickey,password": "for more than the notify key: password",
    "MaxSessions 0": "opens no session for",
}


@pytest.mark.parametrize("settings", REFUSING)
def test_a_login_that_sshd_refuses_is_told_as_such_and_is_no_host_that_is_off(
    notifier: Notifier, sshd: Callable[..., Sshd], endpoint: SandboxEndpoint, settings: str
) -> None:
    if "Root" in settings and os.geteuid() != 0:
        pytest.skip("only root's sshd refuses root")
    server = sshd(f"{endpoint.agent} --root {endpoint.root} notice", first=settings)
    told = notifier.notify(Target("n1", server.address, server.host_key), ORDER, timeout=60)
    assert told.outcome.send_result is SendResult.REFUSED, told
    assert f"{server.address}: refused: sshd " in told.outcome.reason
    assert REFUSING[settings] in told.outcome.reason
    assert current_user() in told.outcome.reason
    assert endpoint.taken() == []


def test_who_accepts_and_says_nothing_is_not_reached(notifier: Notifier) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target("n1", f"127.0.0.1:{silent.getsockname()[1]}", "ssh-ed25519 AAAA")
        assert notifier.notify(target, ORDER, timeout=60).outcome.send_result is SendResult.NOT_REACHED


@pytest.mark.parametrize("command", ["exec yes", "exec yes >&2"], ids=["answer", "errors"])
def test_a_reply_without_an_end_is_a_broken_one_at_once(
    notifier: Notifier, server_host: LocalHost, ssh_settings: NotifySettings, tmp_path: Path, command: str
) -> None:
    """It would else hold its place among those in flight, and the endpoint's process, for as long as anybody waits."""
    public = ensure_key(server_host, ssh_settings.key)
    endless = Sshd(tmp_path / "endless", public, command, line=f'restrict,command="{command}" {public}')
    try:
        told = notifier.notify(Target("n1", endless.address, endless.host_key), ORDER, timeout=3000)
    finally:
        endless.stop()
    assert (told.outcome.send_result, told.answer) == (SendResult.NO_REPLY, None)
    assert told.outcome.reason.startswith("a broken reply: more than")


@pytest.mark.parametrize("address", ["", "127.0.0.1:none", "[::1", "host.invalid"])
def test_an_address_that_leads_nowhere_is_not_reached(notifier: Notifier, address: str) -> None:
    assert (
        notifier.notify(Target("n1", address, "ssh-ed25519 AAAA"), ORDER, timeout=5).outcome.send_result
        is SendResult.NOT_REACHED
    )


def test_a_missing_library_is_told_plainly(
    ssh_settings: NotifySettings, server_host: LocalHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "paramiko":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OSError, match="python3-paramiko"):
        select_notifier(ssh_settings, server_host)


def test_the_key_is_made_once(server_host: LocalHost) -> None:
    first = ensure_key(server_host, "/keys/notify")
    assert ensure_key(server_host, "/keys/notify") == first
    status = server_host.status("/keys/notify")
    assert status is not None
    assert status.st_mode & 0o077 == 0


def test_where_ed25519_is_forbidden_another_kind_is_made(tmp_path: Path) -> None:
    """As in FIPS mode."""

    class Fips(LocalHost):
        def run(self, argv: Sequence[str], **given: Any) -> Completed:
            if "ed25519" in argv:
                return Completed(255, "", "ED25519 keys are not allowed in FIPS mode")
            return super().run(argv, **given)

    host = Fips(str(tmp_path))
    assert ensure_key(host, "/keys/notify").startswith("ecdsa-sha2-nistp256 AAAA")
    assert sorted(os.listdir(tmp_path / "keys")) == ["notify", "notify.pub"]
