# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message broker in settings and documents: read back, and every error with its place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifierName, NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

ENDPOINTS = {"password_file": "/etc/epp/secret"}
MQTT: dict[str, Any] = {
    "hosts": ["b1.example.com", "192.0.2.7"],
    "ca": "/etc/epp/ca.pem",
    "certificate": "/etc/epp/server.pem",
    "key": "/etc/epp/server.key",
    "endpoints": ENDPOINTS,
}


def errors(**changes: Any) -> list[str]:
    mqtt = {key: one for key, one in {**MQTT, **changes}.items() if one is not None}
    with pytest.raises(InvalidDocument) as refused:
        NotifySettings.from_dict({"notifier": "mqtt", "mqtt": mqtt})
    return [str(one) for one in refused.value.errors]


def test_settings_are_read_back() -> None:
    settings = NotifySettings.from_dict({"notifier": "mqtt", "mqtt": {**MQTT, "prefix": "site/epp", "run_time": "2m"}})
    assert settings.notifier is NotifierName.MQTT
    assert NotifySettings.from_dict(settings.to_dict()) == settings
    assert settings.mqtt is not None
    assert (settings.mqtt.port, settings.mqtt.run_time, settings.mqtt.prefix) == (8883, 120, "site/epp")


def test_endpoints_have_the_servers_authorities_unless_they_have_their_own() -> None:
    settings = NotifySettings.from_dict({"mqtt": MQTT})
    assert settings.mqtt is not None
    assert settings.notifier is NotifierName.SSH, "the broker may be there before it is used"
    assert settings.mqtt.of_endpoints.to_dict() == {
        "hosts": ["b1.example.com", "192.0.2.7"],
        "port": 8883,
        "prefix": "epp",
        "ca": "/etc/epp/ca.pem",
        **ENDPOINTS,
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hosts": None}, "notify.mqtt.hosts: missing"),
        ({"hosts": []}, "notify.mqtt.hosts: "),
        ({"hosts": ["b1:8883"]}, "notify.mqtt.hosts[0]: "),
        ({"port": 0}, "notify.mqtt.port: "),
        ({"ca": None}, "notify.mqtt.ca: missing"),
        ({"key": None}, "notify.mqtt.key: missing"),
        ({"certificate": None}, "notify.mqtt.certificate: missing"),
        ({"certificate": None, "key": None}, "notify.mqtt.certificate: missing"),
        ({"user": "epp"}, "notify.mqtt.password_file: missing"),
        ({"password_file": "/etc/x"}, "notify.mqtt.user: missing"),
        ({"password": "secret"}, "notify.mqtt.password: "),
        ({"prefix": "epp.x"}, "notify.mqtt.prefix: "),
        ({"prefix": "epp/#"}, "notify.mqtt.prefix: "),
        ({"endpoints": {}}, "notify.mqtt.endpoints.certificate: missing"),
        ({"endpoints": {"user": "!", "password_file": "/x"}}, "notify.mqtt.endpoints.user: "),
        ({"endpoints": {"password_file": "x"}}, "notify.mqtt.endpoints.password_file: "),
        ({"endpoints": "x"}, "notify.mqtt.endpoints: "),
        ({"key": "/root/server.key"}, 'notify.mqtt.key: "/root/server.key" is'),
        ({"ca": "/home/epp/ca.pem"}, 'notify.mqtt.ca: "/home/epp/ca.pem" is'),
        ({"endpoints": {"password_file": "/var/tmp/x"}}, 'notify.mqtt.endpoints.password_file: "/var/tmp/x" is'),
        ({"ca": "ca.pem"}, "notify.mqtt.ca: "),
        ({"certificate": "x"}, "notify.mqtt.certificate: "),
        ({"run_time": "0s"}, "notify.mqtt.run_time: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_nothing_else(changes: dict[str, Any], words: str) -> None:
    found = errors(**changes)
    assert [one[: len(words)] for one in found] == [words]
    assert "secret" not in "".join(found).replace("/etc/epp/secret", "")


def test_a_notifier_without_its_broker_is_refused() -> None:
    with pytest.raises(InvalidDocument, match=r"notify\.mqtt: missing"):
        NotifySettings.from_dict({"notifier": "mqtt"})
    with pytest.raises(InvalidDocument) as refused:
        NotifySettings.from_dict({"notifier": "mqtt", "mqtt": None})
    assert [error.path for error in refused.value.errors] == ["notify.mqtt"]


def test_answers_come_with_reports_so_nobody_is_asked_for_them() -> None:
    raw = {
        "format": 1,
        "web": {"url": "http://server.example.com", "reports": "ask"},
        "notify": {"notifier": "mqtt", "mqtt": MQTT},
    }
    with pytest.raises(InvalidDocument, match=r"web\.reports"):
        ServerSettings.from_dict(raw)
    ServerSettings.from_dict({**raw, "notify": {"mqtt": MQTT}})


def test_a_document_has_the_broker_of_its_server() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVb1JmtyCJUNRbG8oQmXr1m1JcTQKXv0cTP8Z8qPyTh"
    broker = {"hosts": ["b1.example.com"], "ca": "/etc/epp/ca.pem", **ENDPOINTS}
    server = {"url": "http://server.example.com", "signers": [key], "broker": broker}
    document = EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "server": server})
    assert EndpointDocument.from_dict(document.to_dict()) == document
    plain = EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "server": {**server, "broker": None}})
    assert "broker" not in plain.to_dict()["server"]
    with pytest.raises(InvalidDocument, match=r"server\.broker\.ca"):
        EndpointDocument.from_dict(
            {"format": 1, "endpoint": "n1", "server": {**server, "broker": {"hosts": ["b1"], **ENDPOINTS}}}
        )
