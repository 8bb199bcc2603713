# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Glue between Ansible's modules and the library.

Every module imports this package first, so that a Python for which the library is not written is told in one sentence,
before anything else of it is loaded.
"""

from __future__ import annotations

import json
import sys

OLDEST = (3, 9)
"""The oldest Python of endpoints and update servers."""

if tuple(sys.version_info[:2]) < OLDEST:
    found, needed = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST))
    msg = f"{sys.executable} is Python {found}, and this collection needs {needed} or newer on managed hosts. "
    msg += "Nothing was changed: set ansible_python_interpreter for this host, or install a newer Python there"
    sys.stdout.write(json.dumps({"failed": True, "msg": msg}) + "\n")
    raise SystemExit(1)
