# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else starts the updater of a shipped definition is recognized; what only looks like it is left alone (D3)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.command_lines import Reading, Starts
from ansible_collections.epp.autoupdate.plugins.plugin_utils._definitions import with_definition

# Debian's own units and scripts, or what people write.
CASES = [
    ("spamassassin", "/usr/sbin/spamassassin-maint", True),
    ("spamassassin", "sa-update --channel updates.example.com && systemctl reload spamd", True),
    ("spamassassin", "su - debian-spamd -c 'sa-update'", True),
    ("spamassassin", "sa-update --checkonly", False),
    ("spamassassin", "spamassassin --lint", False),
    ("suricata", "/usr/bin/suricata-update --quiet", True),
    ("suricata", "suricata-update && suricatasc -c reload-rules", True),
    ("suricata", "suricata-update list-sources", False),
    ("suricata", "suricata -c /etc/suricata/suricata.yaml", False),
    ("fangfrisch", "/usr/bin/fangfrisch --conf /etc/fangfrisch.conf refresh", True),
    ("fangfrisch", "sudo -u clamav -- fangfrisch --conf /etc/fangfrisch.conf refresh", True),
    ("fangfrisch", "fangfrisch --conf /etc/fangfrisch.conf dumpmappings", False),
    ("crowdsec", "cscli hub update && cscli hub upgrade && systemctl reload crowdsec", True),
    ("crowdsec", "/usr/bin/cscli --error collections upgrade --all", True),
    ("crowdsec", "cscli hub list -o json", False),
    ("crowdsec", "cscli decisions list", False),
    ("rkhunter", "rkhunter --update --nocolors", True),
    ("rkhunter", "RKHUNTER=/usr/bin/rkhunter; $RKHUNTER --update --appendlog 1>/dev/null 2>$OUTFILE", True),
    ("rkhunter", "/usr/bin/rkhunter --cronjob --report-warnings-only --appendlog", False),
    ("rkhunter", "rkhunter --propupd --nolog", False),
]


@pytest.mark.parametrize(("name", "line", "found"), CASES, ids=[line for _name, line, _found in CASES])
def test_a_line_is_told_apart(name: str, line: str, found: bool) -> None:
    raw = with_definition({"format": 1, "endpoint": "n1", "product": name})
    definition = EndpointDocument.from_dict(raw).definition
    assert definition is not None
    starts = Reading(definition.vendor_updaters, {}.get).shell(line)
    assert starts.updater == found, starts
    assert found or starts in (Starts.NOTHING, Starts.OTHERS)
