# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An updater for the product ``command``: it counts its runs, takes as long as it is told, and installs what there is.

``{url}`` is the update server's, ``{manifest}`` the path of the manifest below it.
"""

from __future__ import annotations

UPDATE = """#!/bin/sh
set -e
echo run >>/opt/lab/runs
while grep -q held /opt/lab/pause; do sleep 0.1; done
sleep "$(cat /opt/lab/pause)"
curl -fsS {url}/{manifest} >/opt/lab/manifest
python3 -c 'import json; print(json.load(open("/opt/lab/manifest"))["version"])' >/opt/lab/new
mv /opt/lab/new /opt/lab/installed
"""
VERSION = """#!/bin/sh
printf '{"patterns-lab": "%s"}' "$(cat /opt/lab/installed)"
"""
