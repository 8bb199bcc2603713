# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's database, migration by migration; one that was released is never changed."""

from __future__ import annotations

from .schema_campaigns import CAMPAIGNS
from .schema_tree import TREE

_REGISTRY = """
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL DEFAULT '',
    ordinal INTEGER NOT NULL,
    source TEXT NOT NULL DEFAULT '',
    policy TEXT,
    address TEXT,
    host_key TEXT,
    enrolled REAL,
    UNIQUE (source, ordinal)
);
CREATE TABLE nodes (path TEXT PRIMARY KEY, own TEXT, born TEXT);
CREATE TABLE serials (name TEXT PRIMARY KEY, serial INTEGER NOT NULL, digest TEXT);
"""

_HOLDINGS = """
ALTER TABLE endpoints ADD COLUMN product TEXT;
ALTER TABLE endpoints ADD COLUMN databases TEXT;
ALTER TABLE reports ADD COLUMN version TEXT NOT NULL DEFAULT '';
"""
"""What endpoints are to have of each product, and the version to which they answered that they have it."""

_LAST_ISSUE = """
CREATE TABLE last_issue (mark TEXT NOT NULL);
"""

MIGRATIONS = (_REGISTRY, CAMPAIGNS, TREE, _HOLDINGS, _LAST_ISSUE)
