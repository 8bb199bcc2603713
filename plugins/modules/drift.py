#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: Report what comparisons found, and fail where there is drift
version_added: 1.0.0
description:
  - Reads results that earlier tasks of the play registered in check mode, and prints one sentence for each difference
    between a host and its policy, with the host, the kind and the path, and the difference in text below.
  - The task fails on hosts that have drifted. A host that could not be compared has drifted as well. A host that was
    not reached is unreachable.
  - The playbook C(epp.autoupdate.check) ends with this module. It compares all hosts first, so that the drift of one
    host never hides that of another.
  - The callback P(epp.autoupdate.check_report#callback) writes what is returned into files for continuous integration.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
attributes:
  check_mode:
    support: full
    details: Changes nothing, and does the same in check mode.
  diff_mode:
    support: none
    details: Prints the differences that the results hold, in every mode.
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
  compared:
    description:
      - The names of variables with results of M(epp.autoupdate.endpoint) or M(epp.autoupdate.server), registered in
        check mode with C(diff) and C(failed_when=false). A variable that a host does not have is ignored.
    type: list
    elements: str
    required: true
  client_tree:
    description:
      - The name of the variable with the result of M(epp.autoupdate.client_tree), registered in the same way.
    type: str
seealso:
  - module: epp.autoupdate.endpoint
  - module: epp.autoupdate.server
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Compare, and change nothing
  hosts: all
  gather_facts: false
  tasks:
    - name: Compare the endpoint with its policy
      epp.autoupdate.endpoint:
        use_variables: true
      check_mode: true
      diff: true
      changed_when: false
      failed_when: false
      register: compared

    - name: Refuse drift
      epp.autoupdate.drift:
        compared: [compared]
"""

RETURN = r"""
drift:
  description: The differences between the host and its policy.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: The kind, such as V(timer), V(program), V(configuration), V(running state),
        V(adopted configuration) or V(client tree).
      type: str
      returned: always
      sample: timer
    path:
      description: The path of the file, or of the node of the client tree. Empty for what is neither.
      type: str
      returned: always
      sample: /etc/systemd/system/epp-update.timer
    text:
      description: The difference in a few words.
      type: str
      returned: always
      sample: differs
    outcome:
      description:
        - V(drift) for a difference, V(fault) where the host could not be compared, V(unreachable) where its update
          server was not reached, without which it can't be compared.
      type: str
      returned: always
      sample: drift
diff:
  description: The difference in text of each element of RV(drift), in the same order.
  returned: failure
  type: list
  elements: dict
  contains:
    prepared:
      description: The lines that differ. Empty for what has none. Secrets are hidden as in what was compared.
      type: str
      returned: always
      sample: |
        @@ -9,1 +9,1 @@
        -OnCalendar=*-*-* 03:00:00
        +OnCalendar=*-*-* 02:00:00
msg:
  description: The number of differences of each kind.
  returned: failure
  type: str
  sample: "till-1 has drifted: 2 (program 1, timer 1)"
"""

# There is no code here: the action plugin of the same name does it all.
