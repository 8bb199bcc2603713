# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of campaigns, as one migration of the server's database."""

from __future__ import annotations

CAMPAIGNS = """
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    trigger TEXT NOT NULL,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE notices (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    endpoint TEXT NOT NULL,
    mode TEXT NOT NULL,
    stage TEXT NOT NULL,
    due REAL NOT NULL,
    until REAL,
    since REAL,
    tries INTEGER NOT NULL,
    result TEXT NOT NULL,
    why TEXT NOT NULL,
    answer TEXT,
    changed REAL NOT NULL,
    PRIMARY KEY (campaign, endpoint)
) WITHOUT ROWID;
CREATE INDEX notices_ready ON notices (tries, due, endpoint) WHERE stage IN ('waiting', 'retry', 'pending');
CREATE INDEX notices_due ON notices (due) WHERE stage IN ('waiting', 'retry', 'pending');
CREATE INDEX notices_until ON notices (until) WHERE stage IN ('waiting', 'retry', 'pending');
CREATE INDEX notices_in_flight ON notices (endpoint) WHERE stage = 'in_flight';
CREATE TABLE reports (
    endpoint TEXT NOT NULL,
    product TEXT NOT NULL,
    versions TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (endpoint, product)
) WITHOUT ROWID;
"""
