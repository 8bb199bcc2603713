#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_schedule
short_description: Set when endpoints update by schedule
version_added: 1.0.0
description:
  - Sets keys of the section C(schedule) of a policy. Keys that are not given stay as they are.
  - With O(frequency=daily) and O(frequency=weekly), each endpoint updates once, at its own slot in the window that
    O(start) and O(window) describe. With O(frequency=minutes) and O(frequency=hours), it updates once in each
    O(interval), at an offset of its own.
  - The scheduler does not repeat an update that an endpoint has missed because it was off. An endpoint that comes back
    within the window gets a slot in the rest of it.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
  - epp.autoupdate._options.section
  - epp.autoupdate._policy.schedule
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
- name: Update between 22:00 and midnight, local time
  epp.autoupdate.update_schedule:
    frequency: daily
    start: "22:00"
    window: 2h
    timezone: local

- name: Update every two hours
  epp.autoupdate.update_schedule:
    frequency: hours
    interval: 2

- name: Move the window of the whole fleet, on the update server
  epp.autoupdate.update_schedule:
    scope: root
    start: "01:00"
    window: 4h
  delegate_to: updates.example.com

- name: Start no update in office hours, and none at all over the holidays
  epp.autoupdate.update_schedule:
    scope: domain
    name: emea/finance
    blackouts:
      - name: office hours
        days: [monday, tuesday, wednesday, thursday, friday]
        from: "08:00"
        to: "18:00"
        timezone: Europe/Berlin
      - name: change freeze
        from: "2026-12-20T00:00"
        to: "2027-01-04T06:00"
  delegate_to: updates.example.com

- name: Let future domains update every four hours, and leave existing ones as they are
  epp.autoupdate.update_schedule:
    scope: root
    apply_to: future_domains
    frequency: hours
    interval: 4
  delegate_to: updates.example.com
"""

RETURN = r"""
before:
  description:
    - The section before the task. On an update server, only the keys that the node sets itself.
  returned: success
  type: dict
  sample: {frequency: daily, start: "12:00", window: 2h}
after:
  description:
    - The section after the task, or as it would be in check mode. On an update server, only the keys that the node sets
      itself.
  returned: success
  type: dict
  sample: {frequency: daily, start: "22:00", window: 2h}
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
    sections.run("schedule")


if __name__ == "__main__":
    main()
