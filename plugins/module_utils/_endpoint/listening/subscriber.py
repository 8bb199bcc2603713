# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``mosquitto_sub``, by which an endpoint listens to a message broker: one process, and the lines that it prints.

It gets what it subscribes to as arguments, and a password by a file that root alone may read: arguments are everybody's
to see. Its messages about the connection (``-d``) tell when it was let in, and that the broker is still there; payloads
come as hexadecimal digits, so that no payload can look like such a message.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import tempfile
import time
import tty
from collections.abc import Iterator, Sequence

from ..._core.rollout.order import MAX_SIZE
from ..._core.settings.broker import Broker
from ..._core.values import field, frozen
from ..._host.host import Host
from ..._host.process import SEARCHED
from ..orders.obstacles import PROGRAM

KEEPALIVE_S = 60
SILENCE_S = 2 * KEEPALIVE_S + 15
"""After so long without a sign of the broker it is taken for gone."""
CONNECT_S = 20
"""How long it may take to let the endpoint in."""
_LONGEST_LINE = 2 * (MAX_SIZE + 1) + 256
"""A payload that makes a longer one is larger than any order."""
_LONGEST_PASSWORD = 1000
_ORDER = b"order "


@frozen
class BrokerMessage:
    """One message of the program: ``subscribed`` when the broker has let it in (``denied``: not to every topic), or
    ``order``, or None for anything else. ``content`` is empty where it was too large."""

    subscribed: bool = False
    denied: bool = False
    order: bool = False
    content: bytes = field(default=b"", repr=False)
    too_large: bool = False


@frozen
class Subscription:
    """To what an endpoint listens: ``client`` is its id there, ``topics`` hold no patterns."""

    broker: Broker
    client: str
    topics: tuple[str, ...]


class Subscriber:
    """One process that listens at one host of the broker."""

    def __init__(self, host: Host, subscription: Subscription, server: str) -> None:
        """Start it; raises OSError."""
        self._buffer = b""
        self._overlong = False
        self._secrets = tempfile.mkdtemp(prefix="epp-listen-")
        self._pid = 0
        self.out = -1
        self.heard = time.monotonic() - SILENCE_S + CONNECT_S
        try:
            environment = {"PATH": ":".join(SEARCHED), "LC_ALL": "C", "HOME": self._secrets}
            self._write_password(host, subscription)
            self._spawn(_arguments(host, subscription, server), {**environment, "XDG_CONFIG_HOME": self._secrets})
        except OSError:
            self.close()
            raise

    def _write_password(self, host: Host, subscription: Subscription) -> None:
        access = subscription.broker.access
        if not access.password_file:
            return
        content = host.read(access.password_file)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "no such file, which has the broker's password", access.password_file)
        password = content[:_LONGEST_PASSWORD].partition(b"\n")[0].rstrip(b"\r")
        opened = os.open(f"{self._secrets}/{PROGRAM}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "wb") as file:
            file.write(b"-P " + password + b"\n")

    def _spawn(self, argv: Sequence[str], environment: dict[str, str]) -> None:
        # A terminal and no pipe: into a pipe the program writes only once it has filled a buffer.
        self.out, end = os.openpty()
        tty.setraw(end)
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, end, 1)]
            self._pid = os.posix_spawnp(argv[0], list(argv), environment, file_actions=actions, setpgroup=0)
        finally:
            os.close(end)
            os.close(nothing)

    def ended(self) -> bool:
        """Whether the process is over, or its broker has been silent for too long."""
        if self._pid and os.waitpid(self._pid, os.WNOHANG)[0]:
            self._pid = 0
        return not self._pid or time.monotonic() - self.heard > SILENCE_S

    def listen(self, timeout: float) -> Iterator[BrokerMessage]:
        """What was heard within ``timeout`` seconds, or since; returns at the first."""
        if not select.select([self.out], [], [], max(0.0, timeout))[0]:
            return
        try:
            came = os.read(self.out, 65536)
        except OSError:  # nobody writes any more
            return
        *lines, self._buffer = (self._buffer + came).split(b"\n")
        for line in lines:
            overlong, self._overlong = self._overlong or len(line) > _LONGEST_LINE, False
            found = self._understood(line, overlong=overlong)
            if found is not None:
                yield found
        if len(self._buffer) > _LONGEST_LINE:
            self._buffer, self._overlong = self._buffer[:64], True

    def _understood(self, line: bytes, *, overlong: bool) -> BrokerMessage | None:
        if line.startswith(_ORDER):
            return BrokerMessage(order=True, too_large=True) if overlong else _order(line[len(_ORDER) :])
        if b" received " in line:
            self.heard = time.monotonic()
        if line.startswith(b"Subscribed "):
            return BrokerMessage(subscribed=True, denied=b"128" in line.rpartition(b":")[2])
        return None

    def close(self) -> None:
        """End the process and remove what was written for it."""
        if self._pid:
            try:
                os.killpg(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(self._pid, 0)
            self._pid = 0
        if self.out >= 0:
            os.close(self.out)
            self.out = -1
        shutil.rmtree(self._secrets, ignore_errors=True)


def _order(text: bytes) -> BrokerMessage:
    """The payload of a message, None of a retained one: nobody has published it now."""
    retained, _space, digits = text.partition(b" ")
    try:
        return BrokerMessage(order=retained == b"0", content=bytes.fromhex(digits.decode("ascii")))
    except ValueError:
        return BrokerMessage(order=True)


def _arguments(host: Host, subscription: Subscription, server: str) -> list[str]:
    broker, access = subscription.broker, subscription.broker.access
    argv = [PROGRAM, "-d", "-R", "-q", "1", "-V", "mqttv311", "-k", str(KEEPALIVE_S), "-F", "order %r %x"]
    argv += ["-h", server, "-p", str(broker.port), "-i", subscription.client, "--cafile", host.real(access.ca)]
    if access.certificate:
        argv += ["--cert", host.real(access.certificate), "--key", host.real(access.key)]
    if access.password_file:
        argv += ["-u", access.user or subscription.client]
    for topic in subscription.topics:
        argv += ["-t", topic]
    return argv
