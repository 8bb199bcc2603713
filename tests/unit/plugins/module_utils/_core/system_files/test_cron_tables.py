# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cron's tables and scripts without an updater, and as they were."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.command_lines import Reading
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.cron_tables import (
    DISARMED,
    OFF,
    Layout,
    given_back,
    script_without_updaters,
    table_without_updaters,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Program

READING = Reading((Program("freshclam", idle=("--version",)),), {}.get)
SYSTEM = {
    "0 */3 * * * root freshclam --quiet\n": OFF + "0 */3 * * * root freshclam --quiet\n",
    "@reboot\tclamav\t/usr/bin/freshclam\n": OFF + "@reboot\tclamav\t/usr/bin/freshclam\n",
    "-*/5 * * * * root freshclam": OFF + "-*/5 * * * * root freshclam",
    "5 4 * * * root freshclam && clamscan -r /home\n": f"5 4 * * * root {DISARMED}freshclam && clamscan -r /home\n",
    "5 4 * * * root mailit%freshclam\n": None,
    "5 4 * * * root freshclam --version\n": None,
    "5 4 * * * freshclam /bin/true\n": None,
    "# 0 * * * * root freshclam\n": None,
    "FRESHCLAM=1 2 3 4 5 root freshclam\n": None,
    "0 * * root freshclam\n": None,
    "\n": None,
    f"5 4 * * * root {DISARMED}freshclam && clamscan\n": None,
    "5 4 * * * root " + "x" * 5000 + "; freshclam\n": None,
}


@pytest.mark.parametrize(("line", "without"), SYSTEM.items())
def test_a_line_of_a_system_table(line, without):
    text = "SHELL=/bin/sh\n" + line
    wanted = text if without is None else "SHELL=/bin/sh\n" + without
    assert table_without_updaters(text, Layout.SYSTEM, READING) == wanted
    assert table_without_updaters(wanted, Layout.SYSTEM, READING) == wanted
    if without is not None:
        assert given_back(wanted) == text


def test_other_tables_have_other_columns():
    assert table_without_updaters("1 2 * * * freshclam\n", Layout.USER, READING).startswith(OFF)
    assert table_without_updaters("@daily freshclam\n", Layout.USER, READING).startswith(OFF)
    assert table_without_updaters("1 5 patterns freshclam\n", Layout.ANACRON, READING).startswith(OFF)
    assert table_without_updaters("@monthly 5 patterns nice freshclam\n", Layout.ANACRON, READING).startswith(OFF)


def test_a_script_keeps_its_other_commands():
    script = "#!/bin/sh\nset -e\nif ! freshclam --quiet; then exit 1; fi\nclamscan -r /home  # after freshclam\n"
    without = script_without_updaters(script, READING)
    assert without == script.replace("! freshclam", f"! {DISARMED}freshclam")
    assert script_without_updaters(without, READING) == without
    assert given_back(without) == script
