# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a policy by which packages of an engine are upgraded: forms, refusals, inheritance."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.inheritance import Layer, resolve
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Components, Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

SUNDAY = {"name": "sunday", "days": ["sunday"], "from": "02:00", "to": "05:00", "timezone": "Europe/Berlin"}
A_VERSION = 'the version of a package (try "1.4.3+dfsg-1~deb13u1", in quotes)'
NIGHT = {"from": "23:00", "to": "01:00"}
ON: dict[str, Any] = {"scope": "all", "engine_packages": True, "engine_windows": [SUNDAY, NIGHT]}


def refusal(**components: Any) -> list[str]:
    with pytest.raises(InvalidDocument) as refused:
        Policy.from_dict({"components": components})
    return str(refused.value).splitlines()


@pytest.mark.parametrize("components", [{}, {"scope": "all"}, {"scope": "engines"}, {"engine_packages": False}])
def test_without_its_own_key_nothing_is_on_and_documents_stay_as_they_are(components: dict[str, Any]) -> None:
    policy = Policy.from_dict({"components": components})
    assert not policy.components.engine_packages
    assert policy.to_dict()["components"] == {"scope": components.get("scope", "patterns")}


def test_a_document_keeps_its_form() -> None:
    told = {**ON, "engine_versions": ["1.4.3+dfsg-1~deb13u1", "1:1.5-2"]}
    policy = Policy.from_dict({"components": told})
    assert policy.to_dict()["components"] == told
    assert Policy.from_dict(policy.to_dict()) == policy
    assert hash(policy) == hash(Policy.from_dict(policy.to_dict()))


def test_a_window_may_be_the_whole_week() -> None:
    policy = Policy.from_dict({"components": {**ON, "engine_windows": [{"from": "00:00", "to": "00:00"}]}})
    assert policy.components.engine_windows[0].end == 86400


@pytest.mark.parametrize(
    ("components", "errors"),
    [
        (
            {"engine_packages": True},
            [
                "components.engine_packages: true is not allowed with scope patterns (only with engines or all)",
                "components.engine_packages: true is not allowed with no engine_windows (say when)",
            ],
        ),
        (
            {"scope": "all", "engine_packages": True},
            ["components.engine_packages: true is not allowed with no engine_windows (say when)"],
        ),
        (
            {"engine_windows": [{"from": "02:00", "to": "02:59"}]},
            ["components.engine_windows[0]: daily from 02:00 to 02:59 is not an hour long"],
        ),
        (
            {"engine_windows": [{"from": "2026-12-20T00:00", "to": "2026-12-21T00:00"}]},
            ["components.engine_windows[0]: a mapping is not a period of the week (from and to are times HH:MM)"],
        ),
        (
            {"engine_versions": ["1.4", 1, "1.4; reboot"]},
            [
                f"components.engine_versions[1]: 1 is not {A_VERSION}",
                f'components.engine_versions[2]: "1.4; reboot" is not {A_VERSION}',
            ],
        ),
        ({"engine_packages": "yes"}, ['components.engine_packages: "yes" is not true or false (without quotes)']),
    ],
)
def test_messages_say_where_what_and_what_else(components: dict[str, Any], errors: list[str]) -> None:
    assert refusal(**components) == errors


def effective(*layers: dict[str, Any]) -> Components:
    found = [Layer(str(number), {"components": one}, str(number)) for number, one in enumerate(layers)]
    return resolve(found).policy.components


def test_a_domain_switches_on_what_the_root_has_said_when() -> None:
    root = {key: ON[key] for key in ("scope", "engine_windows")}
    assert not effective(root).engine_packages
    assert effective(root, {"engine_packages": True}).engine_packages


@pytest.mark.parametrize("own", [{"scope": "patterns"}, {"engine_windows": []}, {"engine_packages": False}])
def test_a_domain_takes_away_what_it_needs(own: dict[str, Any]) -> None:
    assert effective(ON).engine_packages
    assert not effective(ON, own).engine_packages


def test_each_key_is_inherited_by_itself() -> None:
    found = effective(ON, {"engine_versions": ["1.4"]}, {"engine_windows": [NIGHT]})
    assert (found.engine_versions, len(found.engine_windows), found.engine_packages) == (("1.4",), 1, True)
