# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: users' rights as one polkit rule over single systemd units."""

from __future__ import annotations

import json

from ..._core.entries import Entry, File
from .base import Rights, UserAction

RULE = "/etc/polkit-1/rules.d/60-epp-autoupdate.rules"

# The rule stands even where nothing is granted: it is what logs a refusal (P3). It never answers NO, so that an
# administrator may still authenticate for our units as for any other.
_RULE = """\
// Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
polkit.addRule(function (action, subject) {{
    var privileges = {privileges};
    var granted = {granted};
    var group = {group};
    if (action.id !== "org.freedesktop.systemd1.manage-units" || action.lookup("verb") !== "start") {{
        return polkit.Result.NOT_HANDLED;
    }}
    var unit = action.lookup("unit");
    if (!privileges.hasOwnProperty(unit)) {{
        return polkit.Result.NOT_HANDLED;
    }}
    if (granted.indexOf(unit) >= 0 && subject.isInGroup(group)) {{
        return polkit.Result.YES;
    }}
    polkit.log("epp-autoupdate: " + subject.user + " may not start " + unit + ": it takes membership of the group " +
        group + " and the privilege " + privileges[unit] + (granted.indexOf(unit) >= 0 ? "" : ", which policy denies"));
    return polkit.Result.NOT_HANDLED;
}});
"""


class PolkitRights:
    """Members of the group may start exactly the granted units; nothing else changes."""

    name = "polkit"

    def entries(self, rights: Rights) -> tuple[Entry, ...]:
        rule = _RULE.format(
            privileges=_literal({action.unit: action.privilege for action in UserAction}),
            granted=_literal([action.unit for action in rights.granted()]),
            group=_literal(rights.group),
        )
        return (File(RULE, rule.encode()),)

    def owned(self) -> tuple[str, ...]:
        return (RULE,)

    def user_command(self, action: str) -> tuple[str, ...]:
        return ("systemctl", "start", UserAction(action).unit)


def _literal(value: object) -> str:
    """JSON in ASCII, which is JavaScript as well."""
    return json.dumps(value)
