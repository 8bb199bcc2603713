# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents of `tree set` and `register`, and the section configuration: every error at once, with its path."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.change import ApplyTo, TreeChange, TreeScope
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.publication import ConfigurationSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz"


def paths(refused: pytest.ExceptionInfo[InvalidDocument]) -> list[str]:
    return [error.path for error in refused.value.errors]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([], ["document"]),
        ({}, ["scope"]),
        ({"scope": "planet"}, ["scope"]),
        ({"scope": "root", "name": "emea"}, ["name"]),
        ({"scope": "domain"}, ["name"]),
        ({"scope": "domain", "name": "a//b"}, ["name"]),
        ({"scope": "domain", "name": 1}, ["name"]),
        ({"scope": "endpoint", "name": "n 1"}, ["name"]),
        ({"scope": "domain", "name": "emea", "apply_to": "future_domains"}, ["apply_to"]),
        ({"scope": "root", "apply_to": "some"}, ["apply_to"]),
        ({"scope": "root", "values": []}, ["values"]),
        ({"scope": "root", "inherit": ["schedule.windows", "schedule"]}, ["inherit[0]", "inherit[1]"]),
        ({"scope": "root", "inherit": ["schedule.day"], "values": {"schedule": {"day": "friday"}}}, ["inherit"]),
        (
            {"scope": "root", "values": {"schedule": {"window": "2x"}, "event": {}}, "more": 1},
            ["more", "values.schedule.window", "values.event"],
        ),
    ],
)  # fmt: skip
def test_errors_of_a_change_have_their_path(raw: object, expected: list[str]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        TreeChange.from_dict(raw)
    assert sorted(paths(refused)) == sorted(expected)


def test_a_change_is_read_in_its_canonical_form() -> None:
    raw = {"scope": "root", "apply_to": "future_domains", "values": {"schedule": {"window": "120m"}}}
    change = TreeChange.from_dict({**raw, "inherit": ["schedule.day"]})
    assert (change.scope, change.apply_to, change.inherit) == (
        TreeScope.ROOT,
        ApplyTo.FUTURE_DOMAINS,
        ("schedule.day",),
    )
    assert change.values == {"schedule": {"window": "2h"}}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (1, ["document"]),
        ({"purge": "yes", "root": [], "domains": [], "endpoints": {}}, ["purge", "root", "domains", "endpoints"]),
        ({"root": {"schedule": {"start": 720}}}, ["root.schedule.start"]),
        ({"domains": {"": None, "a b": None, "emea": {"x": {}}}}, ["domains[]", "domains[a b]", "domains[emea].x"]),
        ({"endpoints": [{}]}, ["endpoints[0].name"]),
        ({"endpoints": ["n1"]}, ["endpoints[0]"]),
        ({"endpoints": [{"name": "n1"}, {"name": "n1"}]}, ["endpoints[1].name"]),
        ({"endpoints": [{"name": "n", "ordinal": -1, "domain": "/"}]}, ["endpoints[0].ordinal", "endpoints[0].domain"]),
        ({"endpoints": [{"name": "n1", "ordinal": True}]}, ["endpoints[0].ordinal"]),
        ({"endpoints": [{"name": "n1", "host_key": "ssh-rsa"}]}, ["endpoints[0].host_key"]),
        ({"endpoints": [{"name": "n1", "policy": {"schedule": {"day": "x"}}}]}, ["endpoints[0].policy.schedule.day"]),
        ({"endpoints": [{"name": "n1", "source": "a\nb"}]}, ["endpoints[0].source"]),
    ],
)  # fmt: skip
def test_errors_of_a_registration_have_their_path(raw: object, expected: list[str]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        Registration.from_dict(raw)
    assert paths(refused) == expected


@pytest.mark.parametrize(
    "address",
    [
        *("-oProxyCommand=id", "10.0.0.0/8", "a b", "a\nb", "[::1", "a,b", "../x", "/../x"),
        *("n1:", "n1:ssh", "n1:0", "n1:99999", "[::1]:99999"),
    ],
)
def test_an_address_is_never_an_option_nor_a_network(address: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        Registration.from_dict({"endpoints": [{"name": "n1", "address": address}]})
    assert paths(refused) == ["endpoints[0].address"]


@pytest.mark.parametrize(
    "address", ["", "n1", "n1.example.com:2222", "192.0.2.1", "2001:db8::1", "[::1]:22", "/srv/n1"]
)
def test_addresses(address: str) -> None:
    read = Registration.from_dict({"endpoints": [{"name": "n1", "address": address, "host_key": f"{KEY} comment"}]})
    (entry,) = read.endpoints or ()
    assert (entry.address, entry.host_key, entry.domain, entry.policy) == (address, KEY, None, None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([], ["configuration"]),
        ({"lifetime": "1m"}, ["configuration.lifetime"]),
        ({"lifetime": 14, "overlap": "1x"}, ["configuration.lifetime", "configuration.overlap"]),
        ({"overlap": "1d"}, ["configuration.overlap"]),
        ({"lifetime": "40d"}, ["configuration.overlap"]),
        ({"life": "1d"}, ["configuration.life"]),
    ],
)
def test_errors_of_the_configuration_settings_have_their_path(raw: Any, expected: list[str]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        ConfigurationSettings.from_dict(raw)
    assert paths(refused) == expected


def test_the_defaults_of_the_configuration_settings() -> None:
    settings = ConfigurationSettings.from_dict({})
    assert settings.to_dict() == {"lifetime": "14d", "overlap": "30d"}
    assert ConfigurationSettings.from_dict(settings.to_dict()) == settings
