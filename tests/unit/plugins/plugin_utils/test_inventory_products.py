# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several products in the inventory: how what is set for single ones is inherited, and where faults are told (D2)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.filter.effective_policy import effective_policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted
from ansible_collections.epp.autoupdate.plugins.plugin_utils import _inventory as inventory
from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members

SEVERAL = {"products": ["clamav", "suricata", "rkhunter"], "domain": "emea/finance"}


def document(**values: Any) -> EndpointDocument:
    found = Wanted.from_options(inventory.endpoint_options("n1", {**SEVERAL, **values})).document
    assert found is not None
    return found


def errors(**values: Any) -> list[str]:
    return [str(error) for error in inventory.InventoryCheck().host("n1", {**SEVERAL, **values}).errors]


def test_the_innermost_that_is_set_for_a_product_counts_else_the_innermost_of_all() -> None:
    """A window that a domain sets does not undo what root has set for one product."""
    found = document(
        policy={
            "schedule": {"window": "1h", "start": "01:00"},
            "products": {"suricata": {"schedule": {"frequency": "hours", "interval": 2}}},
        },
        domain_policies={
            "emea": {"schedule": {"window": "2h"}, "products": {"rkhunter": {"schedule": {"window": "30m"}}}},
            "emea/finance": {"schedule": {"start": "03:00"}, "products": {"suricata": {"schedule": {"interval": 3}}}},
        },
        endpoint_policy={"products": {"rkhunter": {"schedule": {"start": "05:00"}}}},
    )
    clamav, suricata, rkhunter = (one.policy.schedule for one in found.each())
    assert (clamav.window, clamav.start) == (7200, 3 * 3600)
    assert (suricata.frequency.value, suricata.interval) == ("hours", 3)
    assert (rkhunter.window, rkhunter.start) == (1800, 5 * 3600)


def test_a_product_can_take_back_what_all_have() -> None:
    window = {"days": ["sunday"], "from": "01:00", "to": "02:00"}
    all_have = {"scope": "all", "engine_packages": True, "engine_windows": [window]}
    found = document(
        policy={"components": all_have, "products": {"suricata": {"components": {"engine_packages": False}}}}
    )
    assert [one.policy.components.engine_packages for one in found.each()] == [True, False, True]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"policy": {"products": {"suricata": {"schedule": {"windw": "1h"}}}}},
            'autoupdate_policy.products.suricata.schedule.windw: "windw" is not a known key (did you mean window?)',
        ),
        (
            {"domain_policies": {"apac": {"products": {"suricata": {"schedule": {"window": "x"}}}}}},
            'autoupdate_domain_policies[apac].products.suricata.schedule.window: "x" is not a duration',
        ),
        (
            {"endpoint_policy": {"products": {"suricatta": {}}}},
            "autoupdate_endpoint_policy.products.suricatta: ",
        ),
        ({"products": ["clamav", "rkhuntr"]}, "autoupdate_products[1]: "),
        ({"product_overrides": {"clamav": {"limits": {"scan": 1}}}}, "autoupdate_product_overrides.clamav.limits"),
        (
            {"server_host": "updates1", "policy": {"products": {"suricata": {"schedule": {"windw": "1h"}}}}},
            'autoupdate_policy.products.suricata.schedule.windw: "windw" is not a known key',
        ),
    ],
)
def test_faults_are_told_by_their_variables(values: dict[str, Any], told: str) -> None:
    found = errors(**values)
    assert any(told in line for line in found), found


def test_a_name_of_another_hosts_definition_is_let_pass() -> None:
    assert errors(policy={"products": {"our-own-rules": {"schedule": {"window": "1h"}}}}) == []


def test_the_filter_gives_the_policy_of_a_product() -> None:
    root = {"schedule": {"window": "1h"}, "products": {"suricata": {"schedule": {"window": "2h"}}}}
    assert effective_policy(root)["schedule"]["window"] == "1h"
    assert effective_policy(root, product="suricata")["schedule"]["window"] == "2h"


def test_products_of_an_endpoint_of_an_update_server_have_what_its_tree_will_set() -> None:
    """The document that plans and check mode go by; the endpoint itself has it from its server."""
    policy = {"schedule": {"window": "1h"}, "products": {"suricata": {"schedule": {"window": "2h"}}}}
    check = inventory.InventoryCheck().host("n1", {**SEVERAL, "server_host": "updates1", "policy": policy})
    assert check.errors == ()
    assert check.document is not None
    windows = {one.product: one.policy.schedule.window for one in check.document.each()}
    assert windows == {"clamav": 3600, "suricata": 7200, "rkhunter": 3600}


def test_the_databases_of_clamav_are_registered_at_any_place_of_the_list() -> None:
    members, clamav = Members(), {"autoupdate_clamav": {"databases": ["daily"]}}
    for name, products in (("n1", ["suricata", "clamav"]), ("n2", ["clamav", "suricata"]), ("n3", ["suricata"])):
        members.add(name, {"autoupdate_products": products, **clamav}, lambda value: value)
    found = {name: (one["product"], one["further"], one["databases"]) for name, one in members.wanted().items()}
    assert found == {
        "n1": ("suricata", ["clamav"], ["daily"]),
        "n2": ("clamav", ["suricata"], ["daily"]),
        "n3": ("suricata", [], []),
    }
