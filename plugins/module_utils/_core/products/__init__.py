# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Products as data (D1): the form of a definition, and what its words mean. Nothing is started or read here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULT = "files"
"""The product of an endpoint for which none is named."""

SHIPPED = (
    "bitdefender",
    "crowdsec",
    "defender",
    "eset",
    "fangfrisch",
    "kaspersky",
    "rkhunter",
    "sophos",
    "spamassassin",
    "suricata",
    "symantec",
    "trellix",
    "trend",
    "withsecure",
)
"""The products whose definitions this collection brings: files beside this one, which only the control node reads."""


def products_of(options: Mapping[str, Any]) -> list[str]:
    """The products that options name for an endpoint, the first one first; what is no name is left out."""
    return [name for name in given_products(options) if isinstance(name, str)]


def given_products(options: Mapping[str, Any]) -> list[Any]:
    """The same as it is given, names or not; ``products`` counts where it is given."""
    several, one = options.get("products"), options.get("product")
    return list(several) if isinstance(several, list) and several else [DEFAULT if one is None else one]
