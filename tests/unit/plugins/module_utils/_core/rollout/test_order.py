# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders: what is signed is read back, what is no order is refused, topics are plain words (L3)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.enums import Scope
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.order import (
    LONGEST_SPREAD,
    Audience,
    CampaignOrder,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.topics import (
    endpoint_id,
    endpoint_topic,
    group_file,
    group_topic,
    subscriptions,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.strings import ENDPOINT_NAME
from hypothesis import given
from hypothesis import strategies as st

COMMAND = UpdateCommand("c-0123456789", "27100", Trigger.DOWNLOAD)
ORDER = CampaignOrder(
    Header(1, 1000, 2000),
    COMMAND,
    Audience("clamav", ring="pilot", scopes=(Scope.ALL,)),
    start=1100,
    spread=60,
    kept=9000,
)
NAMES = st.from_regex(re.compile(ENDPOINT_NAME, re.ASCII), fullmatch=True)


def test_an_order_is_read_back() -> None:
    assert CampaignOrder.from_bytes(ORDER.to_bytes()) == ORDER


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"campaign": "x"}, "campaign"),
        ({"campaign": 7}, "campaign"),
        ({"trigger": "reconnect"}, "campaign"),
        ({"version": "a\nb"}, "campaign"),
        ({"ring": "Pilot"}, "ring"),
        ({"endpoint": "n1/../n2"}, "endpoint"),
        ({"spread": LONGEST_SPREAD + 1}, "spread"),
        ({"start": -1}, "start"),
        ({"kind": "tree"}, "kind"),
        ({"more": 1}, "more"),
        ({"kept": True}, "kept"),
    ],
)
def test_what_is_no_order_is_refused(changes: dict[str, Any], where: str) -> None:
    raw = {**json.loads(ORDER.to_bytes()), **changes}
    with pytest.raises(InvalidDocument) as refused:
        CampaignOrder.from_bytes(json.dumps(raw).encode())
    assert refused.value.errors[0].path == where


def test_a_key_that_is_missing_is_told() -> None:
    raw = json.loads(ORDER.to_bytes())
    del raw["expires"]
    with pytest.raises(InvalidDocument, match="expires"):
        CampaignOrder.from_bytes(json.dumps(raw).encode())


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (Audience("clamav"), True),
        (Audience("files"), False),
        (Audience("clamav", ring="pilot"), True),
        (Audience("clamav", ring="rest"), False),
        (Audience(endpoint="n1"), True),
        (Audience(endpoint="n2"), False),
        (Audience("clamav", ring="pilot", endpoint="n2"), False),
        (Audience("clamav", scopes=(Scope.PATTERNS, Scope.ALL)), True),
        (Audience("clamav", scopes=(Scope.ENGINES,)), False),
        (Audience(endpoint="n1", scopes=(Scope.ENGINES,)), True),
    ],
)
def test_an_order_is_for_those_whom_it_names(audience: Audience, *, expected: bool) -> None:
    assert audience.has(endpoint="n1", product="clamav", ring="pilot", scope=Scope.ALL) is expected


def test_an_order_ends_and_for_those_whose_notices_are_kept_later() -> None:
    assert (ORDER.end(keeps=False), ORDER.end(keeps=True)) == (2000, 9000)


@given(st.integers(0, 10**6))
def test_everybody_begins_inside_the_spread(ordinal: int) -> None:
    assert 1100 <= ORDER.begin(ordinal) < 1160


@given(NAMES)
def test_an_id_holds_nothing_that_a_broker_minds(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", endpoint_id(name))


def test_ids_of_names_that_look_the_same_differ() -> None:
    names = ["web01.example.com", "web01-example.com", "web01-example-com", "web01:example:com"]
    assert len({endpoint_id(name) for name in names}) == len(names)
    assert endpoint_id("web01") == "web01"


def test_topics_are_plain_words() -> None:
    assert subscriptions("epp", "n1", "clamav", "") == ("epp/fleet", "epp/endpoint/n1")
    found = subscriptions("a/b", "n1.x", "clamav", "pilot")
    assert found == (group_topic("a/b", "clamav", ""), "a/b/ring/clamav/pilot", endpoint_topic("a/b", "n1.x"))
    assert not set("".join(found)) & set("+#. ")
    assert (group_file("clamav", ""), group_file("clamav", "pilot")) == (
        "orders/fleet.clamav.json",
        "orders/ring.clamav.pilot.json",
    )


def test_no_two_groups_have_the_same_file() -> None:
    """A product may be called fleet, and names have hyphens."""
    groups = [("files", ""), ("fleet", "files"), ("fleet", ""), ("a", "b-c"), ("a-b", "c"), ("a", "b"), ("ring", "a")]
    assert len({group_file(product, ring) for product, ring in groups}) == len(groups)
