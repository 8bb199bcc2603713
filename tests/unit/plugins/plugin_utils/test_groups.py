# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host of the inventory is an endpoint's update server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import of_group, server_of

ELSEWHERE = {"server": {"url": "https://updates.example.com"}}


@pytest.mark.parametrize(
    ("values", "servers", "wanted"),
    [
        ({}, [], ""),
        ({}, ["updates"], "updates"),
        ({"server_host": None}, ["updates"], "updates"),
        ({"server_host": ""}, ["updates"], ""),
        ({"server_host": ""}, ["a", "b"], ""),
        ({"server_host": "b"}, ["a", "b"], "b"),
        ({"server_host": "stranger"}, ["a"], "stranger"),
        (ELSEWHERE, ["updates"], ""),
        (ELSEWHERE, ["a", "b"], ""),
        ({**ELSEWHERE, "server_host": "a"}, ["a", "b"], "a"),
        ({"server": {}}, ["updates"], "updates"),
    ],
)
def test_the_server_of_an_endpoint(values: dict[str, Any], servers: list[str], wanted: str) -> None:
    assert server_of(values, servers) == wanted


def test_several_servers_are_an_error_that_names_them() -> None:
    with pytest.raises(InvalidDocument) as refused:
        server_of({}, [f"s{number}" for number in range(7)])
    assert str(refused.value) == (
        "autoupdate_server_host: missing, must be this endpoint's update server, for the group autoupdate_servers has "
        'several hosts ("s0", "s1", "s2", "s3", "s4", ...): name one of them, or none with ""'
    )


def test_hosts_of_a_group_keep_their_order_and_a_group_may_be_missing() -> None:
    assert list(of_group(["c", "a", "b"], {"g": ["a", "c"]}, "g")) == ["c", "a"]
    assert list(of_group(["a"], {}, "g")) == []
