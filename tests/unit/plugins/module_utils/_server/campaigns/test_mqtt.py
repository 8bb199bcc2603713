# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to a message broker: it takes no longer than it may. The library itself is the lab's."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.broker import BrokerAccess, BrokerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers import mqtt
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.mqtt import (
    BrokerUnreachable,
    MqttPublisher,
)

ACCESS = BrokerAccess(ca="/ca.pem", certificate="/x.pem", key="/x.key")


class OldClient:
    """As paho-mqtt 1.5: the interval of signs of life is the only limit of a connection."""

    def __init__(self, *_style: object, **_about: object) -> None:
        self.limit: float | None = None

    def tls_set(self, **_files: object) -> None:
        """There is no TLS here."""

    def connect(self, host: str, port: int, keepalive: int = 60) -> None:
        self.limit = float(keepalive)
        self._connect(host, port)

    def _connect(self, host: str, port: int) -> None:
        with socket.create_connection((host, port), timeout=self.limit) as connection:
            connection.recv(1)

    def loop_start(self) -> None:
        """There is no thread here."""

    def loop_stop(self) -> None:
        """There is no thread here."""

    def disconnect(self) -> None:
        """There is nothing to end."""


class NewClient(OldClient):
    """As paho-mqtt 2.0: it has a limit for the connection."""

    connect_timeout = 60.0

    def _connect(self, host: str, port: int) -> None:
        self.limit = self.connect_timeout
        super()._connect(host, port)


class Library:
    """The library with one kind of client."""

    MQTTv311 = 4

    def __init__(self, kind: type[OldClient]) -> None:
        self.Client = kind


@pytest.mark.parametrize("kind", [OldClient, NewClient])
def test_a_broker_that_says_nothing_is_waited_for_no_longer_than_it_may_take(
    kind: type[OldClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_KEEPALIVE_S", 1)
    library: Any = Library(kind)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = BrokerSettings(("127.0.0.1",), port=silent.getsockname()[1], access=ACCESS)
        begun = time.monotonic()
        with (
            pytest.raises(BrokerUnreachable),
            MqttPublisher(library, LocalHost(str(tmp_path)), settings, 1.0).session(),
        ):
            pass
    assert time.monotonic() - begun < 30, "and not the minute that the library would take"
