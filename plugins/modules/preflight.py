#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Refuse bad policy before any host is touched
version_added: 1.0.0
description:
  - Checks the C(autoupdate_*) variables of all hosts of the play at once, on the control node. No host is contacted.
  - The values of root, domain and endpoint are resolved as they will be on the endpoints, so contradictions between
    them are found as well.
  - The task fails with every error of every host. Each is one line with the hosts, the path, what was found, and what
    is allowed.
  - A variable whose name begins with C(autoupdate_) and that this collection does not have is an error, or a warning
    with C(autoupdate_strict=false). The task warns of hosts that share an ordinal within one schedule.
  - For each error, RV(faults) has the file and the line, where Ansible knows them. ansible-core 2.18 knows the places
    of texts, mappings and lists of YAML files, later versions those of numbers, booleans and INI files as well. No
    version knows the place of what a template or an inventory script has made.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
attributes:
  check_mode:
    support: full
    details: Changes nothing, and does the same in check mode.
  diff_mode:
    support: none
    details: Changes nothing.
  idempotent:
    support: full
    details: Changes nothing.
  async:
    support: none
  platform:
    support: full
    platforms: linux
    details: Runs on the control node.
options:
  groups:
    description:
      - Look at the hosts of the play that are in the groups C(autoupdate_endpoints) and C(autoupdate_servers), which
        say who is what, and at no others. Of update servers only the names of variables are checked.
      - Fails where neither group has a host of the play. Warns about hosts that are in neither and set C(autoupdate_*)
        variables in the inventory itself.
      - With V(false), all hosts of the play are endpoints.
    type: bool
    default: false
  lint:
    description:
      - Print one line for each fault and each warning, with the file and the line where they are known.
      - Check the settings of update servers as well, and warn about policy that is legal but doubtful. RV(doubts) lists
        what is looked at.
    type: bool
    default: false
  strict:
    description:
      - Fail on warnings, too. Only with O(lint).
    type: bool
    default: false
  plan:
    description:
      - Compute the load of each schedule as well, and refuse schedules that O(link) can't carry.
      - Hosts with the same schedule are planned together, each at its own slot. The link is not divided between
        schedules.
      - At a terminal the load is drawn as well. The result is the same.
      - An update server gives ordinals itself. The module assumes that its endpoints get the lowest free ones.
    type: bool
    default: false
  component_size:
    description:
      - The amount of data of an update in bytes, such as V(20M). Only with O(plan) and O(lint).
    type: bytes
    default: "0"
  link:
    description:
      - The rate of the link to the component source in bits per second, such as V(100Mb). V(0) is no limit. Only with
        O(plan) and O(lint).
    type: bits
    default: "0"
  run_time:
    description:
      - The time of an update that the link does not slow down, such as V(30s). Only with O(plan) and O(lint).
    type: str
    default: 30s
notes:
  - The first host that runs the task checks all hosts of the play, and the task fails on all hosts if any has an error.
    C(run_once) saves time in strategies that go task by task, such as C(linear).
  - With C(serial), the task checks the hosts of one batch.
seealso:
  - module: epp.autoupdate.endpoint
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Converge endpoints only if the policy of all is valid
  hosts: all
  gather_facts: false
  tasks:
    - name: Check the policy of all hosts
      epp.autoupdate.preflight:
      run_once: true

    - name: Converge the endpoint
      epp.autoupdate.endpoint:
        use_variables: true

- name: Compute the load of the schedules
  hosts: all
  gather_facts: false
  tasks:
    - name: Plan
      epp.autoupdate.preflight:
        groups: true
        plan: true
        component_size: 20M
        link: 100Mb
      run_once: true
"""

RETURN = r"""
checked:
  description: The number of hosts that were checked.
  returned: always
  type: int
  sample: 40
servers:
  description: The update servers of the hosts, by their names in the inventory.
  returned: always
  type: list
  elements: str
  sample: [updates]
errors:
  description: All errors, one line each. The result of each host has the errors of all hosts.
  returned: failure
  type: list
  elements: str
  sample:
    - 'n1, n2: schedule.window: "2x" is not a duration (try 90m, 2h)'
faults:
  description: The same errors as data, with their places. Empty for hosts whose result does not tell what is wrong.
  returned: failure, and always with O(lint)
  type: list
  elements: dict
  contains: &finding
    text:
      description: The sentence.
      type: str
      returned: always
      sample: 'autoupdate_policy.schedule.window: "2x" is not a duration (try 90m, 2h)'
    hosts:
      description: The hosts that it is about, 20 at most. Empty for what all hosts share.
      type: list
      elements: str
      returned: always
      sample: [n1, n2]
    host_count:
      description: How many hosts it is about.
      type: int
      returned: always
      sample: 2
    variable:
      description: The variable and the path inside it. V(null) for what is about no variable.
      type: str
      returned: always
      sample: autoupdate_policy.schedule.window
    file:
      description: The file, relative to where Ansible was started if it is below that. V(null) where it is not known.
      type: str
      returned: always
      sample: group_vars/all.yml
    line:
      description: The number of the line in that file. V(null) where it is not known.
      type: int
      returned: always
      sample: 7
doubts:
  description:
    - What is legal but doubtful, in the form of RV(faults). Scheduled updates that are off until a user switches them
      on, roaming for endpoints that are then not notified, a fallback to the vendor for a product that has none, a
      window that blackouts swallow, a window or an interval that is too short for O(component_size), O(link) and
      O(run_time), and all warnings of the module.
    - Whether a host has a route to the vendor is not looked at, because an inventory does not say which networks reach
      which hosts.
  returned: with O(lint)
  type: list
  elements: dict
  contains: *finding
plans:
  description: The load of each schedule. See P(epp.autoupdate.load_curve#filter) for the other keys.
  returned: when O(plan) is set
  type: list
  elements: dict
  contains:
    hosts:
      description: The hosts that have this schedule.
      type: list
      elements: str
      returned: always
      sample: [n1, n2]
    schedule:
      description: The section C(schedule) of their policy.
      type: dict
      returned: always
      sample: {frequency: daily, start: "02:00", window: 2h, timezone: UTC, spread: even, initiator: endpoint}
    blackouts:
      description:
        - What blackouts do to the windows of the coming five weeks, and to those near a blackout with a date.
        - The load is that of the window with the least time left.
      type: dict
      returned: always
      contains:
        cut:
          description: The windows of which something is left, the shortest first. Empty where no blackout touches any.
          type: list
          elements: dict
          returned: always
          contains:
            seconds:
              description: The seconds that are left.
              type: int
              returned: always
              sample: 1800
            windows:
              description: The windows of which so much is left, by their local dates.
              type: list
              elements: str
              returned: always
              sample: ["2026-12-05", "2026-12-12"]
        swallowed:
          description: The windows of which nothing is left, by their local dates.
          type: list
          elements: str
          returned: always
          sample: ["2026-12-25"]
summary:
  description: The plans in words, one line each.
  returned: when O(plan) is set
  type: list
  elements: str
  sample:
    - >-
      40 endpoints daily from 02:00 for 2h (UTC): at most 1 start in a minute and 1 run at a time, 699051 bytes/s;
      the last is done 1h59m2s after the start
"""

# There is no code here: the action plugin of the same name does it all.
