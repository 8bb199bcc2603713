# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``fleet_report`` does on an update server."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from .._core.untrusted_text import data
from .._server.fleet_report.page.page import FORMAT, page
from .installed_server import asked

_OTHER = "the program of the update server makes another report; apply the role epp.autoupdate.server to it first"


def fleet_report(module: AnsibleModule) -> None:
    """Return the report on the fleet as an HTML file, with the figures of its first screen, and end the module."""
    document = asked(module, lambda server: server.ask("report", "--json"))
    if document.get("format") != FORMAT:
        module.fail_json(msg=_OTHER)
    told = data({key: document[key] for key in ("at", "endpoints", "states", "alarms")})
    module.exit_json(changed=False, html=page(document), **told)
