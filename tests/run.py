# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one door to every check, the demo and the docs: ``python3 tests/run.py [STEP...]`` (see ``--help``).

It runs on the Python that happens to be there and builds the environments that the steps need under ``.cache/``.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 9):  # noqa: UP036 - this file is what tells people so
    sys.exit("tests/run.py needs Python 3.9 or later; `make PYTHON=python3.11 test` chooses another one")

from tools.cli import main

sys.exit(main(sys.argv[1:]))
