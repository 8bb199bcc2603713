# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that name several products, or set something for single ones: the document that they make (D2)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.definition import read_definition
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted

OWN = {
    "format": 1,
    "title": "a product",
    "components": {"rules": {"file": "/rules", "pattern": "(?P<version>[0-9]+)"}},
    "update": [{"command": ["/update", "{mode}"]}],
    "settings": {"mode": "quick"},
}
SEVERAL: dict[str, Any] = {
    "endpoint": "n1",
    "products": ["clamav", "ids", "spam"],
    "product_definitions": {"ids": OWN, "spam": OWN},
    "policy": {
        "schedule": {"window": "1h"},
        "privileges": {"go_roaming": True},
        "products": {"ids": {"schedule": {"frequency": "hours"}}, "clamav": {"schedule": {"window": "3h"}}},
    },
    "held_versions": [{"version": "1"}],
    "limits": {"update": "10m"},
    "probe": {"timeout": "1m", "command": ["/bin/true"]},
    "product_overrides": {
        "clamav": {"limits": {"scan": "1h"}},
        "ids": {"product_settings": {"mode": "slow"}, "probe": {"command": ["/bin/false"]}},
    },
}


def document(**changes: Any) -> EndpointDocument:
    found = Wanted.from_options({**SEVERAL, **changes}).document
    assert found is not None
    return found


def lines(**changes: Any) -> list[str]:
    with pytest.raises(InvalidDocument) as refused:
        document(**changes)
    return [str(error) for error in refused.value.errors]


def test_each_product_has_what_is_its_own_and_the_rest_of_the_endpoint() -> None:
    whole = document()
    clamav, ids, spam = whole.each()
    assert [(one.product, one.place, one.instance) for one in whole.each()] == [
        ("clamav", 0, ""),
        ("ids", 1, "ids"),
        ("spam", 2, "spam"),
    ]
    assert [one.policy.schedule.window for one in (clamav, spam)] == [3 * 3600, 3600]
    assert ids.policy.schedule.frequency.value == "hours"
    assert all(one.policy.privileges.go_roaming for one in whole.each())
    assert [one.limits.update for one in whole.each()] == [600, 600, 600]
    assert [one.limits.scan for one in whole.each()] == [3600, 6 * 3600, 6 * 3600]
    assert [bool(one.held_versions) for one in whole.each()] == [True, False, False]
    assert [one.probe.command for one in whole.each()] == [("/bin/true",), ("/bin/false",), ()]
    assert {one.probe.timeout for one in whole.each()} == {60}
    assert dict(ids.product_settings) == {"mode": "slow"}
    assert EndpointDocument.from_dict(whole.to_dict()) == whole


@pytest.mark.parametrize("names", [["ids"], ["ids", "spam"], ["clamav", "ids", "spam", "mail"]])
def test_each_definition_is_read_once_however_many_products_there_are(
    names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counting(name: str, *more: Any) -> Any:
        read.append(name)
        return read_definition(name, *more)

    monkeypatch.setattr(f"{read_definition.__module__}.read_definition", counting)
    definitions = dict.fromkeys(("ids", "spam", "mail"), OWN)
    whole = document(products=names, product_definitions=definitions)
    assert read == ["ids", "spam", "mail"]
    del read[:]
    assert EndpointDocument.from_dict(whole.to_dict()) == whole
    assert read == [name for name in names if name != "clamav"]


def test_definitions_that_can_not_be_read_are_told_once() -> None:
    bad = {**OWN, "update": 3}
    told = lines(product_definitions={"ids": bad, "spam": OWN})
    assert [line.partition(": ")[0] for line in told] == ["product_definitions.ids.update"]
    assert [line.partition(": ")[0] for line in lines(product_definitions=[1])] == ["product_definitions"]


def test_one_product_by_the_list_is_one_by_the_short_form() -> None:
    options = {"endpoint": "n1", "policy": {"schedule": {"window": "1h"}}}
    short = Wanted.from_options({**options, "product": "clamav"}).document
    assert short is not None
    for more in ({"products": ["clamav"]}, {"products": ["clamav"], "product": "files"}, {"product": "clamav"}):
        empty = {"product_overrides": {}, "updates": "independent"}
        found = Wanted.from_options({**options, **empty, **more}).document
        assert found is not None
        assert found.to_dict() == short.to_dict()


def test_what_is_set_for_a_product_counts_on_an_endpoint_that_has_it_alone() -> None:
    policy = {"schedule": {"window": "1h"}, "products": {"clamav": {"schedule": {"window": "2h"}}}}
    assert Wanted.from_options({"endpoint": "n1", "product": "clamav", "policy": policy}).document == (
        Wanted.from_options({"endpoint": "n1", "product": "clamav", "policy": {"schedule": {"window": "2h"}}}).document
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"products": "clamav"}, 'products: "clamav" is not a list of products'),
        ({"products": [f"own{number}" for number in range(17)]}, "products: a list of 17 is not a list of at most 16"),
        ({"products": ["clamav", "clamav"]}, 'products[1]: "clamav" is not a product that is named once'),
        ({"products": ["clamav", "suricatta"]}, "(did you mean suricata?)"),
        ({"products": ["clamav", "files"]}, "policy.products.files.sources.urls: missing"),
        ({"products": ["clamav", {"a": 1}]}, "products[1]: a mapping is not"),
        ({"policy": {"products": []}}, "policy.products: an empty list is not a mapping of products"),
        ({"policy": {"products": {"clamv": {}}}}, '"clamv" is not the name of a product (did you mean clamav?)'),
        ({"policy": {"products": {"ids": {"schedul": {}}}}}, "policy.products.ids.schedul: "),
        ({"policy": {"products": {"ids": {"schedule": {"windw": "1h"}}}}}, "policy.products.ids.schedule.windw: "),
        ({"policy": {"products": {"ids": {"privileges": {}}}}}, "policy.products.ids.privileges: it is not possible"),
        (
            {"policy": {"products": {"ids": {"schedule": {"frequency": "hours", "window": "1h"}}}}},
            'policy.products.ids.schedule.window: "1h" is not allowed with frequency hours',
        ),
        ({"product_overrides": {"ids": {"limts": {}}}}, "product_overrides.ids.limts: "),
        ({"product_overrides": {"ids": {"limits": {"update": "x"}}}}, "product_overrides.ids.limits.update: "),
        ({"product_overrides": {"ids": 3}}, "product_overrides.ids: 3 is not a mapping of"),
        ({"product_overrides": {"idss": {}}}, '"idss" is not the name of a product (did you mean ids?)'),
        ({"product_overrides": [1]}, "product_overrides: a list of 1 is not a mapping"),
        ({"updates": "together"}, 'updates: "together" is not one_at_a_time or independent'),
        (
            {"policy": {"components": {"scope": "all", "engine_packages": True, "engine_windows": [
                {"days": ["sunday"], "from": "01:00", "to": "02:00"}]}}, "products": ["ids", "clamav"]},
            "policy.components.engine_packages: true is not possible but for an endpoint's first",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_told_by_the_option_in_which_it_is(changes: dict[str, Any], told: str) -> None:
    assert any(told in line for line in lines(**changes)), lines(**changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"limits": {"update": "x"}, "product_overrides": {"ids": {"limits": {"scan": "1h"}}}},
            ["limits.update"],
        ),
        ({"product_overrides": {"clamav": {"scan_paths": ["home"]}}}, ["product_overrides.clamav.scan_paths[0]"]),
        (
            {"product_overrides": {"clamav": {"held_versions": [{"component": "daily"}]}}},
            ["product_overrides.clamav.held_versions[0].version"],
        ),
        (
            {"probe": {"timeout": "x"}, "product_overrides": {"clamav": {"probe": {"enabled": True}}}},
            ["probe.timeout"],
        ),
        ({"probe": {"timeout": "x"}}, ["probe.timeout"]),
        (
            {"product_overrides": {"ids": {"probe": {"timeout": "x"}}}},
            ["product_overrides.ids.probe.timeout"],
        ),
        ({"products": ["own", "clamav"], "policy": {}}, ["products[0]"]),
        ({"products": ["clamav", "own"], "policy": {}}, ["products[1]"]),
        (
            {"policy": {"products": {"clamav": {"schedule": {"initiator": "server"}}}}},
            ["policy.products.clamav.schedule.initiator"],
        ),
        (
            {"policy": {"schedule": {"initiator": "server"}, "products": {"ids": {"schedule": {"window": "1h"}}}}},
            ["policy.schedule.initiator"],
        ),
        (
            {"policy": {"products": {"ids": {"schedule": {"initiator": "server"}}}}},
            ["policy.products.ids.schedule.initiator"],
        ),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_an_error_is_told_once_by_the_option_that_sets_it(changes: dict[str, Any], told: list[str]) -> None:
    assert [line.partition(": ")[0] for line in lines(**changes)] == told


def test_with_an_update_server_what_it_publishes_may_be_at_any_place() -> None:
    server = {"url": "http://updates.example.com", "signers": ["ssh-ed25519 " + "A" * 68]}
    named = ["ids", "clamav", "spam"]
    assert [one.product for one in document(server=server, policy={}, products=named).each()] == named
    managed = document(server=server, policy={})
    assert [one.server for one in managed.each()] == [managed.server] * 3
    assert managed.server is not None
    assert [one.limits.scan for one in managed.each()] == [3600, 6 * 3600, 6 * 3600]
    assert lines(server=server) == [
        "policy: a mapping beside server is not allowed (the update server's tree has it: set it there)"
    ]
