# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages a product has, by family of systems."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.epp.autoupdate.plugins.plugin_utils._packages import packages_of


def test_clamav_has_packages_on_known_families_and_other_products_have_none() -> None:
    assert "freshclam" in packages_of("clamav", "Alpine", {})
    assert packages_of("files", "Void", {}) == packages_of("command", "Debian", {}) == []


def test_an_unknown_family_is_refused_with_what_to_write() -> None:
    with pytest.raises(AnsibleActionFail, match=r"clamav on Void are not known\. Name them in autoupdate_packages, or"):
        packages_of("clamav", "Void", {})


def test_a_definition_names_its_own_packages() -> None:
    defined = {"Debian": ["rkhunter", "curl"]}
    assert packages_of("rkhunter", "Debian", defined) == ["rkhunter", "curl"]
    with pytest.raises(AnsibleActionFail, match="rkhunter on Suse are not known"):
        packages_of("rkhunter", "Suse", defined)
