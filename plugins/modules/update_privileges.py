#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_privileges
short_description: Set what the users of endpoints may do
version_added: 1.0.0
description:
  - Sets keys of the section C(privileges) of a policy. Keys that are not given stay as they are.
  - The users are the members of the group that the option O(epp.autoupdate.endpoint#module:user_group) names.
  - No converge overwrites the switch of a user who may switch scheduled update on and off. As soon as
    O(toggle_scheduled_update) is V(false), O(scheduled_update) alone decides again.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
  - epp.autoupdate._options.section
  - epp.autoupdate._policy.privileges
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: full
  platform:
    support: full
    platforms: linux
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Let users switch scheduled updates on and off, but not roaming
  epp.autoupdate.update_privileges:
    toggle_scheduled_update: true
    go_roaming: false

- name: Let the users of one endpoint of a fleet switch roaming
  epp.autoupdate.update_privileges:
    scope: endpoint
    name: laptop17
    go_roaming: true
  delegate_to: updates.example.com
"""

RETURN = r"""
before:
  description:
    - The section before the task. On an update server, only the keys that the node sets itself.
  returned: success
  type: dict
  sample: {go_roaming: false, toggle_scheduled_update: false}
after:
  description:
    - The section after the task, or as it would be in check mode. On an update server, only the keys that the node sets
      itself.
  returned: success
  type: dict
  sample: {go_roaming: false, toggle_scheduled_update: true}
effective:
  description:
    - The policy that is in force on the endpoint now, inherited values included.
  returned: on an update server with O(scope=endpoint), not in check mode
  type: dict
  sample: {schedule: {frequency: daily, start: "22:00", window: 2h}}
provenance:
  description:
    - The node that sets each of these values, V(endpoint), V(domain emea/finance), V(root) or V(default).
      V((born\)) after the domain stands for a value that the domain got when it was created.
  returned: on an update server with O(scope=endpoint), not in check mode
  type: dict
  sample: {schedule.frequency: default, schedule.start: domain emea/finance, schedule.window: root}
changes:
  description: The files of the host that were changed, or would be in check mode.
  returned: on a standalone endpoint
  type: list
  elements: dict
  contains:
    path:
      description: The path, without O(installroot).
      type: str
      returned: always
      sample: /etc/epp-autoupdate/endpoint.json
    action:
      description: The kind of change, V(create), V(modify) or V(remove).
      type: str
      returned: always
      sample: modify
drift:
  description: What was running or stopped against the policy and was put right, in words.
  returned: on a standalone endpoint
  type: list
  elements: str
  sample: []
next_run:
  description:
    - The instant of the next scheduled update in UTC. V(null) when none will run.
  returned: on a standalone endpoint
  type: str
  sample: "2026-11-23T02:41:07Z"
"""

from ansible_collections.epp.autoupdate.plugins.module_utils._module import sections


def main() -> None:
    sections.run("privileges")


if __name__ == "__main__":
    main()
