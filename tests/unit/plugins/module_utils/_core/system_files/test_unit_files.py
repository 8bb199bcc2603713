# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What unit files say, and how a service is kept from an updater."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.command_lines import Reading
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.cron_tables import DISARMED
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.unit_files import (
    activated,
    is_oneshot,
    kept_from,
    settings_of,
    template_of,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Program

READING = Reading((Program("freshclam"),), {}.get)
BLOCKED = "[Unit]\nConditionPathExists=!/policy\n"
SERVICES = {
    ("[Service]\nExecStart=/usr/bin/freshclam -d\n",): BLOCKED,
    ("[Service]\nType=oneshot\nExecStartPre=/bin/sleep 5\nExecStart=/usr/bin/freshclam\n",): BLOCKED,
    ("[Service]\nExecStart=/usr/bin/nice \\\n# why\n  -n 19 freshclam\n",): BLOCKED,
    ("[Service]\nExecStart=/bin/false\n", "[Service]\nExecStart=\nExecStart=freshclam\n"): BLOCKED,
    ("[Service]\nExecStart=freshclam\n", "[Service]\nExecStart=\nExecStart=/bin/false\n"): None,
    ("[Service]\nExecStart=/usr/sbin/clamd\nExecReload=/usr/bin/freshclam\n",): None,
    ("# ExecStart=freshclam\n[Unit]\nExecStart=freshclam\n[Service]\nExecStart=/bin/true\n",): None,
    ("",): None,
    ("garbage\0\xff\n[\n=\n[Service\nExecStart\n",): None,
    ("[Service]\nExecStartPre=/bin/mkdir /run/x\nExecStartPre=-freshclam\nExecStart=/usr/sbin/clamd\n",): (
        "[Service]\nExecStartPre=\nExecStartPre=/bin/mkdir /run/x\n"
    ),
    ("[Service]\nExecStart=/bin/sh -c 'freshclam; exec clamd'\n",): (
        f"[Service]\nExecStart=\nExecStart=/bin/sh -c '{DISARMED}freshclam; exec clamd'\n"
    ),
    ("[Service]\nType=oneshot\nExecStart=freshclam\nExecStart=/usr/bin/clamscan -r /\n",): (
        "[Service]\nExecStart=\nExecStart=/usr/bin/clamscan -r /\n"
    ),
}


@pytest.mark.parametrize(("texts", "drop_in"), SERVICES.items())
def test_a_service_is_kept_from_the_updater_and_from_nothing_else(texts, drop_in):
    kept = kept_from(settings_of(texts), READING)
    assert (None if kept is None else kept.drop_in("/policy")) == drop_in
    if kept is not None and not kept.blocked:
        assert kept_from(settings_of((*texts, kept.drop_in("/policy"))), READING) is None


def test_what_a_unit_activates():
    assert activated("patterns.timer", settings_of(("[Timer]\nOnCalendar=daily\n",))) == "patterns.service"
    assert activated("a.timer", settings_of(("[Timer]\nUnit=b.service\n",))) == "b.service"
    assert activated("a.path", settings_of(("[Path]\nUnit=b@1.service\n",))) == "b@1.service"
    assert activated("a.socket", settings_of(("[Socket]\nService=c.service\n",))) == "c.service"


def test_names_and_kinds():
    assert template_of("b@1.service") == "b@.service"
    assert template_of("b.service") == "b.service"
    assert is_oneshot(settings_of(("[Service]\nType=oneshot\n",)))
    assert not is_oneshot(settings_of(("[Service]\nExecStart=x\n",)))
