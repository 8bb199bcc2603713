# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How one signing key follows another: announced, signing, trusted, gone; no step may lose an endpoint (C2)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.keyring import Keyring, KeyStage, SigningKey
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from hypothesis import given
from hypothesis import strategies as st

OVERLAP = 1000


def public(number: int) -> str:
    return f"ssh-ed25519 {str(number).zfill(4) * 12}AAA="


def ring(now: int = 0) -> Keyring:
    return Keyring((SigningKey("signing-1", public(1), KeyStage.CURRENT, now),))


def stages(one: Keyring) -> list[tuple[str, str]]:
    return [(key.name, key.stage.value) for key in one.keys]


def test_the_whole_way_of_a_key() -> None:
    announced = ring().with_next("signing-2", public(2), 10)
    assert announced.current.name == "signing-1"
    assert announced.signers == (public(1), public(2))
    assert announced.rotate_due(10 + OVERLAP - 1, OVERLAP, ()) == announced
    switched = announced.rotate_due(10 + OVERLAP, OVERLAP, ())
    assert stages(switched) == [("signing-1", "old"), ("signing-2", "current")]
    assert switched.signers == (public(2), public(1))
    over = 10 + 2 * OVERLAP
    assert switched.rotate_due(over - 1, OVERLAP, ()) == switched
    assert switched.rotate_due(over, OVERLAP, {public(1)}) == switched
    assert stages(switched.rotate_due(over, OVERLAP, {public(2)})) == [("signing-2", "current")]


@given(st.lists(st.sampled_from(["rotate", "short", "long", "fetch"]), max_size=30))
def test_an_endpoint_that_fetches_in_each_stage_never_loses_the_server(steps: list[str]) -> None:
    """It trusts what the last tree named; each tree that it fetches has to be signed by one of these."""
    server, now, made = ring(), 0, 1
    trusted = set(server.signers)
    for step in steps:
        now += {"short": OVERLAP // 3, "long": OVERLAP}.get(step, 1)
        if step == "rotate" and server.next is not None:
            server = server.promote(now)
        elif step == "rotate":
            made += 1
            server = server.with_next(f"signing-{made}", public(made), now)
        server = server.rotate_due(now, OVERLAP, {server.current.public})
        assert server.current.public in trusted
        trusted = set(server.signers)
        assert Keyring.from_dict(server.to_dict()) == server
        assert [key.stage for key in server.keys].count(KeyStage.CURRENT) == 1


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"keys": []},
        {"keys": [{}]},
        {"keys": [{**ring().keys[0].to_dict(), "name": "../signing"}]},
        {"keys": [{**ring().keys[0].to_dict(), "public": "no key"}]},
        {"keys": [{**ring().keys[0].to_dict(), "stage": "old"}]},
        {"keys": [ring().keys[0].to_dict(), {**ring().keys[0].to_dict(), "name": "signing-2"}]},
    ],
)
def test_what_is_no_ring_is_refused(raw: object) -> None:
    with pytest.raises(InvalidDocument):
        Keyring.from_dict(raw)
