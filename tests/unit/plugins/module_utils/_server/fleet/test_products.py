# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client tree sets for single products: inherited, explained, checked and published (D2, P2)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import CatalogItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.outdated import Holding, Offer
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint_keys import ProductKind
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.holdings import Reported, is_behind
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.policies import EndpointPolicy

from .conftest import Server

IDS = {"products": {"ids": {"schedule": {"window": "2h"}}}}


def window(server: Server, product: str) -> tuple[str, str]:
    told = server.ask("tree", "explain", "a", "--json")["products"][product]
    return told["policy"]["schedule"]["window"], told["provenance"]["schedule.window"]


def test_the_innermost_that_is_set_for_a_product_counts_before_what_is_set_for_all(server: Server) -> None:
    server.register("a", domain="emea/finance")
    server.set("root", {"schedule": {"window": "1h"}})
    assert "products" not in server.ask("tree", "explain", "a", "--json")
    server.set("root", IDS)
    server.set("domain", {"schedule": {"window": "30m"}}, name="emea")
    assert window(server, "ids") == ("2h", "root")
    assert server.ask("tree", "explain", "a", "--json")["policy"]["schedule"]["window"] == "30m"
    server.set("domain", {"products": {"ids": {"schedule": {"window": "3h"}}}}, name="emea/finance")
    assert window(server, "ids") == ("3h", "domain emea/finance")
    server.set("endpoint", {"products": {"ids": {"schedule": {"window": "4h"}}}}, name="a")
    assert window(server, "ids") == ("4h", "endpoint")
    for scope, name in (("endpoint", "a"), ("domain", "emea/finance")):
        server.set(scope, name=name, inherit=["products.ids.schedule.window"])
    assert window(server, "ids") == ("2h", "root")
    server.set("root", inherit=["products.ids.schedule.window"])
    assert "products" not in server.ask("tree", "explain", "a", "--json")


def test_a_key_of_all_that_a_domain_sets_is_told_as_its_source(server: Server) -> None:
    server.register("a", domain="emea")
    server.set("root", IDS)
    server.set("domain", {"schedule": {"start": "03:00"}}, name="emea")
    told = server.ask("tree", "explain", "a", "--json")["products"]["ids"]["provenance"]
    assert (told["schedule.start"], told["schedule.window"]) == ("domain emea", "root")
    _status, table, _errors = server.run("tree", "explain", "a")
    rows = [line.split() for line in table.splitlines() if line.startswith("products.")]
    assert rows == [["products.ids.schedule.window", '"2h"', "root"]]
    _status, shown, _errors = server.run("tree", "show")
    assert '  products.ids.schedule.window  "2h"' in shown.splitlines()


def test_what_is_born_for_a_product_gives_way_to_a_change_for_all_domains(server: Server) -> None:
    server.set("root", IDS, apply_to="future_domains")
    server.register("a", domain="apac")
    assert window(server, "ids") == ("2h", "domain apac (born)")
    server.set("root", {"products": {"ids": {"schedule": {"frequency": "hours"}}}})
    told = server.ask("tree", "explain", "a", "--json")["products"]["ids"]
    assert told["policy"]["schedule"]["frequency"] == "hours"
    assert "window" not in told["policy"]["schedule"]


def test_what_is_set_is_published_and_only_where_it_is_set(server: Server) -> None:
    server.register("a", "b", domain="emea")
    server.ask(
        "register",
        document={
            "root": IDS,
            "domains": {"emea": {"products": {"spam": {"events": {"update_on_reconnect": False}}}}},
            "endpoints": [{"name": "a", "policy": IDS}],
        },
    )
    tree = server.tree()
    assert tree.root == IDS
    assert tree.domains == {"emea": {"products": {"spam": {"events": {"update_on_reconnect": False}}}}}
    place = server.shard("a").membership("a")
    assert place is not None
    assert place.policy == IDS
    again = server.ask("register", document={"root": IDS, "endpoints": [{"name": "a", "policy": IDS}]})
    assert again["changed"] is False


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"ids": {"schedul": {}}}, 'values.products.ids.schedul: "schedul" is not a known key'),
        ({"ids": {"schedule": {"window": "x"}}}, 'values.products.ids.schedule.window: "x" is not'),
        ({"ids": {"privileges": {"update_now": True}}}, "values.products.ids.privileges: it is not possible for one"),
        ({"I DS": {}}, '"I DS" is not the name of a product'),
        ({"ids": {"schedule": {"frequency": "hours", "window": "1h"}}}, "schedule.window"),
        ([1], "values.products: a list of 1 is not a mapping of products"),
    ],
)
def test_what_is_wrong_is_refused_by_its_path(server: Server, part: Any, told: str) -> None:
    server.register("a")
    refused = server.refused("tree", "set", document={"scope": "root", "name": "", "values": {"products": part}})
    assert any(told in line for line in refused), refused


def test_keys_of_products_that_no_policy_has_are_not_inherited(server: Server) -> None:
    for key in ("products.ids.schedule.windw", "products.ids", "products.ids.privileges.update_now", "products.ids."):
        document = {"scope": "root", "name": "", "values": {}, "inherit": [key]}
        assert "a key of the policy such as" in server.refused("tree", "set", document=document)[-1]


def test_a_product_that_does_not_fit_what_all_have_is_refused_where_it_is_set(server: Server) -> None:
    server.register("a", domain="emea")
    server.set("root", {"schedule": {"frequency": "hours"}})
    values = {"products": {"ids": {"schedule": {"frequency": "hours", "start": "03:00"}}}}
    refused = server.refused("tree", "set", document={"scope": "domain", "name": "emea", "values": values})
    assert any("domains[emea].products.ids.schedule.start" in line for line in refused), refused


def test_the_products_of_an_endpoint_are_registered(server: Server) -> None:
    told = server.register("a", product="clamav", further=["suricata", "rkhunter"])
    assert told["after"]["endpoints"]["a"]["further"] == ["suricata", "rkhunter"]
    assert server.register("a", product="clamav")["changed"] is False
    told = server.register("a", further=[])
    assert (told["changed"], "further" in told["after"]["endpoints"]["a"]) == (True, False)
    refused = server.refused("register", document={"endpoints": [{"name": "a", "further": ["Suricata"]}]})
    assert "endpoints[0].further" in refused[0]


def test_an_endpoint_has_the_channel_of_each_product_with_which_it_is_registered(server: Server) -> None:
    rings = {"rings": [{"name": "canary", "endpoints": ["a"]}, {"name": "broad"}]}
    server.settings(rollout={"files": rings, "clamav": rings})

    def channels() -> dict[str, str] | None:
        server.run("publish")
        place = server.shard("a").membership("a")
        assert place is not None
        return place.channels or None

    server.register("a", product="suricata", further=["clamav"])
    assert channels() == {"clamav": "canary"}
    server.register("a", further=["clamav", "files"])
    assert channels() == {"clamav": "canary", "files": "canary"}
    server.register("a", further=[])
    assert channels() is None


def test_an_endpoint_is_behind_with_any_of_its_products() -> None:
    offer = Offer(ProductKind.FILES, "2", (CatalogItem("files", "a", "2", Kind.PATTERN, 1, "0" * 64, "a.dat"),))
    told = Reported({"clamav": Holding({"daily": "1"}), "files": Holding({"a": "1"})}, 0.0)
    for products, behind in ((("clamav", "files"), True), (("files",), True), (("clamav",), False), ((), True)):
        member = EndpointPolicy("a", 0, None, products=products)
        assert is_behind(member, told, offer) is behind
        assert member.is_notified_of("files") is (products in ((), ("files",)))


def test_versions_of_several_products_are_told_with_their_names(server: Server) -> None:
    server.register("a", "b", product="clamav", further=["suricata"])
    hold = "INSERT INTO holdings (endpoint, product, versions, at) VALUES (?, ?, ?, 0)"
    with server.connection() as connection:
        rows = [
            ("a", "clamav", '{"daily": "1"}'),
            ("a", "suricata", '{"rules": "7"}'),
            ("b", "clamav", '{"daily": "1"}'),
        ]
        connection.executemany(hold, rows)
        connection.commit()
    _status, table, _errors = server.run("endpoints")
    lines = {line.split()[0]: line for line in table.splitlines()}
    assert "clamav: daily 1; suricata: rules 7" in lines["a"]
    assert "clamav:" not in lines["b"]
