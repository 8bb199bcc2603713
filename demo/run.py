# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration behind ``make demo``: an update server and six endpoints, from the first converge to a bad version
that is taken back, and an endpoint without an update server that has two products.

Runs the collection's own playbooks by their full names on directories that stand for hosts, with a real HTTP server on
loopback. Needs no root. Ends with 1 when anything is not as the story says.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sandbox import PUBLIC, REPORTS, SERVER, VENDORS, Sandbox, Unexpected
from story import tell
from web import WebServer


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="epp-demo-") as scratch:
        fleet = Path(scratch)
        web = WebServer(fleet / SERVER / PUBLIC, fleet / SERVER / REPORTS)
        vendors = WebServer(fleet / VENDORS)
        try:
            facts = tell(Sandbox(fleet, web.url, vendors.url), web)
        except Unexpected as problem:
            print(f"\nThe demo failed: {problem}")
            return 1
        finally:
            web.stop()
            vendors.stop()
    print("\nSummary")
    for fact in (*facts, f"{time.monotonic() - began:.0f} s from the first converge to this line"):
        print(f"  - {fact}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
