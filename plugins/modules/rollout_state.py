#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_state
short_description: Resume, abort, hold, release or expedite a version on an update server
version_added: 1.0.0
description:
  - Carries out what somebody has decided about a version that is rolled out by rings, and records who and why.
  - The module runs on the update server. Endpoints learn of it from the signed catalog. Those that are offered a
    version are notified, and so are those that have told that they have a version from which they are to go back. All
    others go back when they next update, whatever starts that update.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options.server_installroot
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
options:
  state:
    description:
      - With V(resumed), a halted version is offered to its rings anew.
      - With V(aborted), a version that rings try is taken back and held. Endpoints that have it go back to the last
        good version.
      - With V(held), the same is done with any version, also with one that all rings have.
      - With V(released), a hold is lifted, and the version may be offered again, to the first ring first.
      - With V(expedited), a version is offered to all rings at once.
    type: str
    choices:
      - resumed
      - aborted
      - held
      - released
      - expedited
    required: true
  version:
    description:
      - The version. Not needed where only one can be meant, such as the one that is halted. V(expedited) takes the
        newest one then, and V(held) needs it always. Name it in tasks that may run again, because V(resumed) and
        V(released) find none to mean the second time.
    type: str
  product:
    description:
      - The product, V(clamav), V(command) or V(files), or the rollout of the packages of its engine, such as
        V(clamav/engine/debian-13-x86_64). Not needed where only one can be meant.
    type: str
  reason:
    description:
      - The reason, in one sentence. It is kept, and endpoints report it.
    type: str
    required: true
  by:
    description:
      - The name of the person who decided. The default is the account that calls the server.
    type: str
seealso:
  - module: epp.autoupdate.rollout_info
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Take the halted version back
  epp.autoupdate.rollout_state:
    state: aborted
    reason: It flags a clean file
    by: "{{ lookup('ansible.builtin.env', 'USER') }}"
  delegate_to: updates.example.com
  become: true

- name: Let nobody have version 13 any more
  epp.autoupdate.rollout_state:
    product: files
    version: "13"
    state: held
    reason: Scans take three times as long
  delegate_to: updates.example.com
  become: true

- name: Go on with a version of the engine's packages
  epp.autoupdate.rollout_state:
    product: clamav/engine/debian-13-x86_64
    version: 1.4.4+dfsg-1
    state: resumed
    reason: The disk of that host was full
  delegate_to: updates.example.com
  become: true
"""

RETURN = r"""
action:
  description: What was done.
  returned: success
  type: str
  sample: abort
product:
  description: The product.
  returned: success
  type: str
  sample: files
version:
  description: The version.
  returned: success
  type: str
  sample: "13"
reason:
  description: The reason.
  returned: success
  type: str
  sample: It flags a clean file
by:
  description: Who decided.
  returned: success
  type: str
  sample: operator
before:
  description: What rings were offered, and what was stopped.
  returned: success
  type: dict
  contains: &side
    offered:
      description: The version of each ring.
      type: dict
      returned: always
      sample: {canary: "13", broad: "12"}
    stops:
      description: The kind of stop of each stopped version.
      type: dict
      returned: always
      sample: {"13": halted}
after:
  description: The same afterwards, or in check mode as it would be.
  returned: success
  type: dict
  contains: *side
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import rollout, server_specs


def main() -> None:
    rollout.rollout_state(AnsibleModule(argument_spec=server_specs.rollout_state(), supports_check_mode=True))


if __name__ == "__main__":
    main()
