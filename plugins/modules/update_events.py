#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_events
short_description: Set what makes endpoints update outside their schedule
version_added: 1.0.0
description:
  - Sets keys of the section C(events) of a policy. Keys that are not given stay as they are.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
  - epp.autoupdate._options.section
  - epp.autoupdate._policy.events
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
- name: Scan after each update that the server announced
  epp.autoupdate.update_events:
    update_after_download: true
    scan_after_update: true

- name: Scan one domain after each update that the server announced
  epp.autoupdate.update_events:
    scope: domain
    name: emea/finance
    scan_after_update: true
  delegate_to: updates.example.com

- name: Let that domain inherit again
  epp.autoupdate.update_events:
    scope: domain
    name: emea/finance
    inherit:
      - scan_after_update
  delegate_to: updates.example.com
"""

RETURN = r"""
before:
  description:
    - The section before the task. On an update server, only the keys that the node sets itself.
  returned: success
  type: dict
  sample: {scan_after_update: false, update_after_download: true}
after:
  description:
    - The section after the task, or as it would be in check mode. On an update server, only the keys that the node sets
      itself.
  returned: success
  type: dict
  sample: {scan_after_update: true, update_after_download: true}
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
    sections.run("events")


if __name__ == "__main__":
    main()
