# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users' privileges as one polkit rule over single systemd units."""

from __future__ import annotations

import json

from ..._core.resources.resources import File, Resource
from ..paths import unit_of_product
from .base import GrantedPrivileges, UserAction

RULE = "/etc/polkit-1/rules.d/60-epp-autoupdate.rules"

# The rule stands even where nothing is granted: it is what logs a refusal (P3). polkit.log() alone would not do, since
# polkitd usually runs with its standard error closed. The answer is never NO, so that an administrator may still
# authenticate for our units as for any other.
_RULE = """\
// Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
polkit.addRule(function (action, subject) {{
    var privileges = {privileges};
    var granted = {granted};
    var group = {group};

    var unit = action.lookup("unit");
    if (action.id !== "org.freedesktop.systemd1.manage-units" || action.lookup("verb") !== "start" ||
            !privileges.hasOwnProperty(unit)) {{
        return polkit.Result.NOT_HANDLED;
    }}
    var allowed = granted.indexOf(unit) >= 0;
    if (allowed && subject.isInGroup(group)) {{
        return polkit.Result.YES;
    }}
    var reason = allowed ? "only members of the group " + group + " may, by " : "not granted on this endpoint: ";
    var message = "start of " + unit + " denied to " + subject.user + ", " + reason + "privileges." + privileges[unit];
    try {{
        polkit.spawn(["{logger}", "-t", "epp-agent", "-p", "auth.notice", "--", message]);
    }} catch (error) {{
        polkit.log(message);
    }}
    return polkit.Result.NOT_HANDLED;
}});
"""
_LOGGER = "/usr/bin/logger"


class PolkitBackend:
    """Members of the group may start exactly the granted units; nothing else changes."""

    name = "polkit"

    def entries(self, privileges: GrantedPrivileges) -> tuple[Resource, ...]:
        rule = _RULE.format(
            privileges=_literal({unit: action.privilege for action in UserAction for unit in privileges.units(action)}),
            granted=_literal([unit for action in privileges.granted() for unit in privileges.units(action)]),
            group=_literal(privileges.group),
            logger=_LOGGER,
        )
        return (File(RULE, rule.encode()),)

    def owned(self) -> tuple[str, ...]:
        return (RULE,)

    def user_command(self, action: str, instance: str = "") -> tuple[str, ...]:
        return ("systemctl", "start", unit_of_product(UserAction(action).unit, instance))


def _literal(value: object) -> str:
    """JSON in ASCII, which is JavaScript as well, indented to stand in the rule's function."""
    return json.dumps(value, indent=4).replace("\n", "\n    ")
