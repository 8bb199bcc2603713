# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notifies endpoints over SSH, with a key restricted to the delivery of commands (N5).

The address is ``host`` or ``host:port`` (``[v6]:port``); the host key is pinned at enrollment as in ``known_hosts``,
without the name: ``ssh-ed25519 AAAA...``. No other key of that host is accepted, whatever else it offers, and nothing
is read from the user's own SSH configuration, known hosts or agent.
"""

from __future__ import annotations

import base64
import socket
import time
from typing import Any

from ...._core.rollout.delivery import SendResult
from ...._core.settings.notify import NotifySettings
from ...._core.validation.addresses import host_and_port
from ...._core.values import frozen
from ...._host.host import Host
from .base import OUTPUT_LIMIT, LineNotifier, Printed, Target, Undelivered

_COMMAND = "epp-agent notice"
"""What is asked for; the endpoint's ``authorized_keys`` decides what runs."""
_CHUNK, _MOMENT_S = 65536, 1.0
_KINDS_OF_KEYS = ("Ed25519Key", "ECDSAKey", "RSAKey")
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""By which signatures a host proves a key, where they do not have the key's own name."""


class SshMissing(OSError):
    """The SSH library is not installed."""


class _OtherHost(Exception):
    """Whoever answers there is not the endpoint that was enrolled."""


class _Refused(Exception):
    """The endpoint's sshd rejects the notify key."""


@frozen
class _Exchange:
    """The line to be sent, how many bytes of answer or errors are taken, and until when (monotonic)."""

    line: bytes
    limit: int
    deadline: float


@frozen
class SshNotifier(LineNotifier):
    """Notifies over SSH. ``paramiko`` is the library, ``key`` the server's private key as the library holds it.

    ``errors`` are the exceptions by which a connection fails.
    """

    paramiko: Any
    errors: tuple[type[Exception], ...]
    key: Any
    user: str
    connect_timeout: float

    @classmethod
    def of(cls, settings: NotifySettings, host: Host) -> SshNotifier:
        """The notifier of a server; raises SshMissing, or OSError where the key can't be read."""
        paramiko = _library()
        key = _private_key(paramiko, host.real(settings.key), settings.key)
        errors = (paramiko.SSHException, OSError, EOFError, ValueError)
        return cls(paramiko, errors, key, settings.user, float(settings.connect_timeout))

    def exchange(self, target: Target, line: bytes, *, timeout: float, limit: int = OUTPUT_LIMIT) -> Printed:
        deadline = time.monotonic() + timeout
        if not target.host_key:  # registered, but not converged yet: whoever answers there could be anybody
            raise Undelivered(SendResult.NOT_REACHED, "no host key has been pinned for this endpoint yet")
        try:
            connection = socket.create_connection(host_and_port(target.address), min(self.connect_timeout, timeout))
        except (OSError, ValueError) as error:
            raise Undelivered(SendResult.NOT_REACHED, f"{target.address}: {_words(error)}") from error
        with connection:
            return self._over(connection, target, _Exchange(line, limit, deadline))

    def _over(self, connection: socket.socket, target: Target, wanted: _Exchange) -> Printed:
        try:
            transport = self._prepared(connection)
        except self.errors as error:
            raise Undelivered(SendResult.NOT_REACHED, f"{target.address}: {_words(error)}") from error
        try:
            channel = self._session(transport, target)
        except _OtherHost as error:
            transport.close()
            raise Undelivered(SendResult.HOST_KEY_CHANGED, f"{target.address}: {error}") from error
        except _Refused as error:
            transport.close()
            raise Undelivered(SendResult.REFUSED, f"{target.address}: {error}") from error
        except self.errors as error:
            transport.close()
            raise Undelivered(SendResult.NOT_REACHED, f"{target.address}: {_words(error)}") from error
        try:
            return _converse(channel, wanted)
        except self.errors as error:
            raise Undelivered(SendResult.NO_REPLY, f"{target.address}: {_words(error)}") from error
        finally:
            transport.close()

    def _prepared(self, connection: socket.socket) -> Any:
        transport = self.paramiko.Transport(connection)
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = self.connect_timeout
        transport.daemon = True
        return transport

    def _session(self, transport: Any, target: Target) -> Any:
        """Open a channel to the host with the pinned key; no other host is offered the notify key."""
        kind, pinned = _pinned(target.host_key)
        try:
            transport.get_security_options().key_types = _SIGNATURES.get(kind, (kind,))
            transport.start_client(timeout=self.connect_timeout)
        except self.paramiko.ssh_exception.IncompatiblePeer as error:
            raise _OtherHost(f"the host does not offer the {kind} key that was pinned ({error})") from error
        offered = transport.get_remote_server_key()
        if (offered.get_name(), offered.asbytes()) != (kind, pinned):
            raise _OtherHost("the host key is not the one that was pinned at enrollment")
        self._log_in(transport)
        try:
            return transport.open_session(timeout=self.connect_timeout)
        except self.paramiko.ChannelException as error:
            raise _Refused(f"refused: sshd opens no session for {self.user} ({_words(error)})") from error

    def _log_in(self, transport: Any) -> None:
        """Prove the key; raises _Refused where sshd said no, or ended the connection instead (an account that PAM does
        not let in). A login that took too long says nothing about the key."""
        try:
            more = transport.auth_publickey(self.user, self.key)
        except self.paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                raise
            ended = "" if transport.is_active() else ": it ended the connection"
            raise _Refused(f"refused: sshd does not accept the notify key for {self.user}{ended}") from error
        if more:
            wants = f"sshd asks {self.user} for more than the notify key: {', '.join(map(str, more))}"
            raise _Refused(f"refused: {wants}")


def _private_key(paramiko: Any, real: str, path: str) -> Any:
    """The private key in a file; raises OSError. Before its version 3.2, the library has to be told the kind."""
    why: Exception | None = None
    for kind in _KINDS_OF_KEYS:
        try:
            return getattr(paramiko, kind).from_private_key_file(real)
        except (paramiko.SSHException, ValueError, TypeError) as error:
            why = why or error
    raise OSError(f"{path}: not a private key without passphrase: {why}") from why


def _converse(channel: Any, wanted: _Exchange) -> Printed:
    limit, deadline = wanted.limit, wanted.deadline
    channel.settimeout(max(0.1, deadline - time.monotonic()))
    channel.exec_command(_COMMAND)
    channel.sendall(wanted.line)
    channel.shutdown_write()
    out, err = bytearray(), bytearray()
    while _read_more(channel, out, err, wanted):
        if len(out) > limit or len(err) > limit:
            raise Undelivered(SendResult.NO_REPLY, f"a broken reply: more than {limit} bytes")
        if time.monotonic() >= deadline:
            raise Undelivered(SendResult.NO_REPLY, "no answer in time")
    ended = channel.status_event.wait(max(0.1, min(10.0, deadline - time.monotonic())))
    code = channel.recv_exit_status() if ended else -1
    return Printed(out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), None if code < 0 else code)


def _read_more(channel: Any, out: bytearray, err: bytearray, wanted: _Exchange) -> bool:
    """Take what has come on both streams, waiting a moment for it; returns whether more may come.

    Errors are taken as they come: whoever writes many of them, and an answer never, would wait for room until the end.
    """
    channel.settimeout(max(0.1, min(_MOMENT_S, wanted.deadline - time.monotonic())))
    try:
        data = channel.recv(_CHUNK)
    except socket.timeout:  # another class before Python 3.10
        data = None
    out.extend(data or b"")
    while channel.recv_stderr_ready() and len(err) <= wanted.limit:
        err.extend(channel.recv_stderr(_CHUNK))
    return data is None or bool(data)


def _library() -> Any:
    import logging

    try:
        import paramiko
    except ImportError as error:
        raise SshMissing(
            "the Python package paramiko is not installed: the SSH notifier needs it (Debian: python3-paramiko)"
        ) from error
    # What goes wrong is told by the notice's own record, not by tracebacks of the library's threads.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    return paramiko


def _pinned(text: str) -> tuple[str, bytes]:
    """Type and bytes of a pinned key."""
    parts = text.split()
    try:
        return parts[0], base64.b64decode(parts[1], validate=True)
    except (IndexError, ValueError):
        raise _OtherHost("what was pinned is no host key") from None


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)
