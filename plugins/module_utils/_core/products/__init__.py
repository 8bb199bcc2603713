# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Products as data (D1): the form of a definition, and what its words mean. Nothing is started or read here."""

from __future__ import annotations

SHIPPED = (
    "bitdefender",
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
