# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of an update server: read as one document, refused with every error at once, written in one form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("bad_settings.json").read_text(encoding="utf-8"))
MINIMUM = {"format": 1, "web": {"url": "http://updates.example.com"}}
FULL = {
    "format": 1,
    "web": {
        "url": "https://updates.example.com:8443/epp/",
        "listen": ["192.0.2.1:8443", "[::]:8443 ipv6only=on"],
        "tls_certificate": "/etc/ssl/updates.crt",
        "tls_key": "/etc/ssl/private/updates.key",
        "max_connections": 20,
        "retry_after": 60,
        "verify_url": False,
        "reports": "ask",
    },
    "components": {
        "clamav": {"databases": ["main"], "extra": {"local.ndb": "https://x.example.com/local.ndb"}, "keep_cdiffs": 3},
        "files": {"git": "https://git.example.com/rules.git", "branch": "main", "timeout": "90s"},
        "command": {"fetch": ["/usr/bin/fetch", "{directory}"], "version": ["/usr/bin/version"]},
    },
    "notify": {
        "max_in_flight": 10,
        "max_in_flight_peak": 5,
        "peak_hours": ["08:00-18:00", "22:00-02:00"],
        "timezone": "Europe/Berlin",
        "retry_delay": "5m",
        "retries": 2,
    },
    "configuration": {"lifetime": "3d", "overlap": "7d"},
    "fetch": {"every": "15m", "offset": "2m"},
    "scheduler": "cron",
}


def test_each_case_of_the_table_has_a_name_of_its_own() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 30


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_it_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        ServerSettings.from_dict(case["settings"])
    assert sorted(error.path for error in refused.value.errors) == sorted(case["paths"])
    assert all(len(line) < 400 and line.isprintable() for line in str(refused.value).splitlines())
    assert "hunter2" not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize("given", [MINIMUM, FULL], ids=["minimum", "full"])
def test_the_canonical_form_reads_back_as_the_same_settings(given: dict[str, Any]) -> None:
    settings = ServerSettings.from_dict(given)
    plain = json.loads(json.dumps(settings.to_dict()))
    assert ServerSettings.from_dict(plain) == settings
    assert ServerSettings.from_dict(plain).to_dict() == plain


def test_what_is_given_is_kept_and_what_is_not_has_the_defaults() -> None:
    plain = ServerSettings.from_dict(FULL).to_dict()
    assert plain["web"]["url"] == "https://updates.example.com:8443/epp"
    assert plain["components"]["files"]["timeout"] == "1m30s"
    assert plain["components"]["clamav"]["mirror"] == "https://database.clamav.net"
    assert (plain["notify"]["max_in_flight_peak"], plain["notify"]["max_in_flight_off_peak"]) == (5, 10)
    assert plain["notify"]["peak_hours"] == ["08:00-18:00", "22:00-02:00"]
    assert plain["fetch"] == {"every": "15m", "offset": "2m"}


def test_servers_ask_their_vendor_at_different_seconds_and_each_always_at_the_same() -> None:
    def offset(url: str) -> int:
        return ServerSettings.from_dict({"format": 1, "web": {"url": url}}).fetch_offset

    offsets = [offset(f"http://server{number}.example.com") for number in range(50)]
    assert offsets == [offset(f"http://server{number}.example.com") for number in range(50)]
    assert len(set(offsets)) > 40
    assert all(0 <= one < 3600 for one in offsets)
    assert ServerSettings.from_dict(FULL).fetch_offset == 120
