# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of the server's database."""

from __future__ import annotations

VERSION = 1
"""Kept as ``PRAGMA user_version``; a database with a higher one is refused."""

SCHEMA = """
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
    shard INTEGER,
    product TEXT,
    databases TEXT,
    further TEXT,
    UNIQUE (source, ordinal)
);
CREATE INDEX endpoints_shard ON endpoints (shard);
CREATE INDEX endpoints_domain ON endpoints (domain);
CREATE INDEX endpoints_own ON endpoints (domain, policy, name) WHERE policy IS NOT NULL;
CREATE INDEX endpoints_unpinned ON endpoints (name) WHERE coalesce(host_key, '') = '';
CREATE TABLE nodes (path TEXT PRIMARY KEY, own TEXT, born TEXT, future TEXT);
CREATE TABLE serials (
    name TEXT PRIMARY KEY,
    serial INTEGER NOT NULL,
    digest TEXT,
    issued INTEGER,
    expires INTEGER,
    signer TEXT,
    file TEXT
);
CREATE TABLE dirty (document TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE last_issue (mark TEXT NOT NULL);
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    trigger TEXT NOT NULL,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    created REAL NOT NULL,
    ring TEXT NOT NULL DEFAULT ''
);
CREATE TABLE deliveries (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    endpoint TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    due REAL NOT NULL,
    until REAL,
    since REAL,
    tried REAL,
    tries INTEGER NOT NULL,
    result TEXT NOT NULL,
    reason TEXT NOT NULL,
    answer TEXT,
    changed REAL NOT NULL,
    PRIMARY KEY (campaign, endpoint)
) WITHOUT ROWID;
CREATE INDEX deliveries_ready ON deliveries (tries, due, endpoint) WHERE status IN ('queued', 'retrying', 'deferred');
CREATE INDEX deliveries_due ON deliveries (due) WHERE status IN ('queued', 'retrying', 'deferred');
CREATE INDEX deliveries_until ON deliveries (until) WHERE status IN ('queued', 'retrying', 'deferred');
CREATE INDEX deliveries_in_flight ON deliveries (endpoint) WHERE status = 'in_flight';
CREATE TABLE endpoint_states (
    endpoint TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    since REAL NOT NULL,
    waits TEXT NOT NULL,
    built TEXT NOT NULL,
    received REAL NOT NULL,
    tree_serial INTEGER,
    shard_serial INTEGER,
    drift TEXT NOT NULL,
    drift_count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE state_history (
    day TEXT NOT NULL,
    state TEXT NOT NULL,
    endpoints INTEGER NOT NULL,
    PRIMARY KEY (day, state)
) WITHOUT ROWID;
CREATE TABLE holdings (
    endpoint TEXT NOT NULL,
    product TEXT NOT NULL,
    versions TEXT NOT NULL,
    at REAL NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (endpoint, product)
) WITHOUT ROWID;
CREATE TABLE endpoint_reports (
    endpoint TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    host_key TEXT NOT NULL,
    at REAL NOT NULL,
    received REAL NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX endpoint_reports_received ON endpoint_reports (received);
CREATE TABLE refused_reports (
    endpoint TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    count INTEGER NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    PRIMARY KEY (endpoint, code)
) WITHOUT ROWID;
CREATE TABLE endpoint_engines (
    endpoint TEXT PRIMARY KEY,
    product TEXT NOT NULL,
    stream TEXT NOT NULL,
    version TEXT NOT NULL,
    run TEXT NOT NULL,
    ended REAL NOT NULL,
    received REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX endpoint_engines_stream ON endpoint_engines (product, stream);
CREATE TABLE engine_rings (track TEXT NOT NULL, ring TEXT NOT NULL, PRIMARY KEY (track, ring)) WITHOUT ROWID;
CREATE TABLE rollouts (product TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rollout_versions (
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    at REAL NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (product, version)
) WITHOUT ROWID;
CREATE TABLE rollout_members (
    product TEXT NOT NULL,
    ring TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (product, ring, endpoint)
) WITHOUT ROWID;
CREATE TABLE rollout_events (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    ring TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    noted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE published_rings (digest TEXT NOT NULL);
CREATE TABLE report_counts (
    day TEXT NOT NULL,
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, code)
) WITHOUT ROWID;
"""
"""``endpoints.product`` and ``databases`` are what an endpoint is to have, ``further`` its products beside that;
``holdings.version`` is the version that it answered to have.

``endpoint_reports`` has the newest report of each endpoint, its document as ``content``; ``host_key`` is the key that
signed it: another key begins another sequence. ``refused_reports`` are those since the last good one, of names that are
not registered together under the empty name. ``report_counts.day`` is a day in UTC, empty for all that were long
ago; ``code`` is that of a refusal, or ``taken``.

``endpoint_states.built`` is the date of the newest component of each product that tells one.

``endpoint_engines`` has the endpoints whose engine is upgraded as packages and staged: the installed ``version``, the
last ``run`` as their status has it, and when that was first told (``ended``), zero where the endpoint was not in the
stream then. ``engine_rings`` has the rings that have ever had an endpoint of the stream; ``track`` stands where the
other tables of rollouts have a product.

``campaigns.ring`` is the ring that a campaign is for, empty where the rollout of its product is not staged.
``rollout_versions.content`` is what the product publishes as that version. ``rollout_members`` are the endpoints that
count for the version that a ring tries. ``rollout_events.noted``: it is in the audit. ``published_rings`` has the
digest of the rings by which the shards were published."""
