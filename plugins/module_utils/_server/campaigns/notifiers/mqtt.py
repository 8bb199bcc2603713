# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishes orders over MQTT, by paho-mqtt 1.5 or later: TLS, QoS 1, a clean session, nothing retained (L3).

What a broker has acknowledged has reached the broker. Whether it reached an endpoint only its report tells.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ...._core.settings.broker import BrokerSettings
from ...._core.values import frozen
from ...._host.host import Host

_QOS = 1
_PUBLISH_S = 60.0
_LOOK_S = 0.02
_KEEPALIVE_S = 5
"""The shortest interval of signs of life: a broker ends a connection without any for one and a half of it."""
_LONGEST_PASSWORD = 1000


class MqttMissing(OSError):
    """The MQTT library is not installed."""


class BrokerUnreachable(OSError):
    """None of the broker's hosts takes what is to be published; the message says why of each."""


@frozen
class MqttPublisher:
    """The way to a broker. ``library`` is paho's module, ``timeout`` the seconds that a connection may take."""

    library: Any
    host: Host
    settings: BrokerSettings
    timeout: float

    @classmethod
    def of(cls, host: Host, settings: BrokerSettings, *, timeout: float) -> MqttPublisher:
        """The publisher of a server; raises MqttMissing."""
        return cls(_library(), host, settings, timeout)

    @contextmanager
    def session(self) -> Iterator[MqttSession]:
        """A connection to the first of the hosts that takes one; raises BrokerUnreachable."""
        session = self._first()
        try:
            yield session
        finally:
            session.close()

    def _first(self) -> MqttSession:
        faults = []
        for name in self.settings.hosts:
            session = MqttSession(self._client())
            try:
                session.open(name, self.settings.port, self.timeout)
            except (OSError, ValueError) as error:
                session.close()
                faults.append(f"{name}:{self.settings.port}: {error}")
            else:
                return session
        raise BrokerUnreachable(f"the message broker is not reached: {'; '.join(faults)}")

    def _client(self) -> Any:
        versions = getattr(self.library, "CallbackAPIVersion", None)  # there from paho-mqtt 2.0 on
        style = () if versions is None else (versions.VERSION2,)
        name = f"epp-server-{secrets.token_hex(4)}"
        client = self.library.Client(*style, client_id=name, clean_session=True, protocol=self.library.MQTTv311)
        access, real = self.settings.access, self.host.real
        try:
            client.tls_set(
                ca_certs=real(access.ca),
                certfile=real(access.certificate) if access.certificate else None,
                keyfile=real(access.key) if access.key else None,
            )
        except (OSError, ValueError) as error:
            raise BrokerUnreachable(f"the files for the message broker can't be used (notify.mqtt): {error}") from error
        if access.user:
            client.username_pw_set(access.user, self._password(access.password_file))
        return client

    def _password(self, path: str) -> str:
        """The first line of the file."""
        content = self.host.read(path)
        if content is None:
            raise BrokerUnreachable(f"{path} does not exist: notify.mqtt.password_file names it")
        return content[:_LONGEST_PASSWORD].decode("utf-8", "replace").partition("\n")[0].rstrip("\r")


class MqttSession:
    """One connection to a broker."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._answered = threading.Event()
        self._code: Any = None
        client.on_connect = self._on_connect

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, *_more: Any) -> None:
        self._code = code
        self._answered.set()

    def open(self, host: str, port: int, timeout: float) -> None:
        """Connect within ``timeout`` seconds to each address, and again until the broker has answered; raises OSError.

        The library has a time limit of its own for the connection from 2.0 on. For all that comes after it, and before
        1.6 for the connection, too, it takes the interval of signs of life.
        """
        if hasattr(self._client, "connect_timeout"):
            self._client.connect_timeout = timeout
        self._client.connect(host, port, keepalive=max(_KEEPALIVE_S, int(timeout)))
        self._client.loop_start()
        if not self._answered.wait(timeout):
            raise TimeoutError(f"no answer within {timeout:g} s")
        if getattr(self._code, "value", self._code) != 0:
            raise ConnectionRefusedError(f"the broker lets this server not in ({self._code})")

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish at topics, and wait until the broker has taken all; raises BrokerUnreachable."""
        sent = [self._client.publish(topic, payload, qos=_QOS, retain=False) for topic, payload in messages]
        deadline = time.monotonic() + _PUBLISH_S
        try:
            while not all(one.is_published() for one in sent):
                if time.monotonic() >= deadline:
                    raise BrokerUnreachable("the message broker has not taken everything within a minute")
                time.sleep(_LOOK_S)
        except (ValueError, RuntimeError) as error:  # the connection is gone, which the library tells so
            raise BrokerUnreachable(f"the message broker has not taken everything: {error}") from error

    def close(self) -> None:
        """End the connection; one that is gone is no fault."""
        try:
            self._client.disconnect()
            self._client.loop_stop()
        except (OSError, ValueError, RuntimeError):
            pass


def _library() -> Any:
    try:
        from paho.mqtt import client
    except ImportError:
        raise MqttMissing(
            "the Python package paho-mqtt is not installed: the MQTT notifier needs it (Debian: python3-paho-mqtt)"
        ) from None
    return client
