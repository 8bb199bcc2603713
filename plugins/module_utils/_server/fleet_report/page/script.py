# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script of the page: it fills the table of endpoints, sorts and filters it, and hands it out as CSV.

Everything that came from elsewhere becomes text of a node, never markup.
"""

from __future__ import annotations

from .script_rows import ROWS
from .script_table import TABLE

SCRIPT = f'"use strict";\n(() => {{\n{ROWS}{TABLE}}})();\n'
