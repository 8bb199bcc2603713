# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tree, the registry and publication need beyond the first tables, as one migration."""

from __future__ import annotations

TREE = """
ALTER TABLE nodes ADD COLUMN future TEXT;
ALTER TABLE endpoints ADD COLUMN shard INTEGER;
UPDATE endpoints SET shard = shard_of(name);
CREATE INDEX endpoints_shard ON endpoints (shard);
CREATE INDEX endpoints_domain ON endpoints (domain);
CREATE INDEX endpoints_own ON endpoints (domain, policy, name) WHERE policy IS NOT NULL;
CREATE INDEX endpoints_unpinned ON endpoints (name) WHERE coalesce(host_key, '') = '';
ALTER TABLE serials ADD COLUMN issued INTEGER;
ALTER TABLE serials ADD COLUMN expires INTEGER;
ALTER TABLE serials ADD COLUMN signer TEXT;
ALTER TABLE serials ADD COLUMN file TEXT;
CREATE TABLE stale (document TEXT PRIMARY KEY) WITHOUT ROWID;
"""
