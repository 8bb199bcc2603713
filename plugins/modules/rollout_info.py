#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_info
short_description: Return where the staged rollouts of an update server stand
version_added: 1.0.0
description:
  - Returns each product that has rings, what each ring is offered and how many of its endpoints are healthy, what is
    halted or held, and the last decisions.
  - The module runs on the update server and contacts no endpoint.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options.server_installroot
  - epp.autoupdate._attributes.info
attributes:
  platform:
    support: full
    platforms: linux
options:
  events:
    description:
      - The highest number of decisions of each product that are returned.
    type: int
    default: 20
seealso:
  - module: epp.autoupdate.rollout
  - module: epp.autoupdate.rollout_state
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Look at the rollouts
  epp.autoupdate.rollout_info:
  delegate_to: updates.example.com
  become: true
  register: staged

- name: Fail where one is halted
  ansible.builtin.assert:
    that: staged.rollouts | map(attribute='stops') | flatten | rejectattr('kind', 'eq', 'held') | length == 0
"""

RETURN = r"""
rollouts:
  description: The products that have rings.
  returned: success
  type: list
  elements: dict
  contains:
    product:
      description:
        - The product. The packages of its engine have rollouts of their own, one for each distribution and
          architecture, such as V(clamav/engine/debian-13-x86_64).
      type: str
      returned: always
      sample: files
    dry_run:
      description: Whether all endpoints are offered the newest version, and decisions are recorded only.
      type: bool
      returned: always
      sample: false
    newest:
      description: The version that was published last. Empty before the first one.
      type: str
      returned: always
      sample: "13"
    published:
      description: When the newest version was published.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    rings:
      description: The rings in their order.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The name of the ring and of its channel.
          type: str
          returned: always
          sample: canary
        phase:
          description: V(idle), V(baking), V(halted) or V(inconclusive).
          type: str
          returned: always
          sample: baking
        offered:
          description:
            - The version that the ring is offered. Empty where it is offered none. Of packages, V(installed) is what
              its endpoints had before.
          type: str
          returned: always
          sample: "13"
        candidate:
          description: The version that the ring tries. Empty where it tries none.
          type: str
          returned: always
          sample: "13"
        since:
          description: When the ring was offered that version.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        bake_ends:
          description: When its bake time ends. Null unless enough endpoints are healthy with it.
          type: str
          returned: always
          sample: "2026-11-29T16:10:00Z"
        deadline:
          description: By when it must have passed.
          type: str
          returned: always
          sample: "2026-12-06T12:00:00Z"
        good:
          description: The versions that the ring has passed, the newest first.
          type: list
          elements: str
          returned: always
          sample: ["12", "11"]
        next:
          description: The version that waits for the days and hours of promotion. Empty where none does.
          type: str
          returned: always
          sample: ""
        next_at:
          description: When the next of these hours begins. Null where no version waits, or none comes within a week.
          type: str
          returned: always
          sample: "2026-11-30T08:00:00Z"
        endpoints:
          description: The number of endpoints in the ring.
          type: int
          returned: always
          sample: 2
        counts:
          description: The endpoints that count for the version that is tried. Null where none is.
          type: dict
          returned: always
          contains:
            eligible:
              description: Those that counted when it was offered, and still do.
              type: int
              returned: always
              sample: 2
            healthy:
              description: Those that have it, by their report, with a probe that passed.
              type: int
              returned: always
              sample: 1
            failed:
              description: Those that failed, were lost after the update, or are silent.
              type: int
              returned: always
              sample: 0
            pending:
              description: The others of those that count.
              type: int
              returned: always
              sample: 1
            not_counted:
              description: The endpoints of the ring that were off, roaming or silent then, or have joined it since.
              type: int
              returned: always
              sample: 0
        reason:
          description: The most frequent reason of failures.
          type: str
          returned: always
          sample: ""
    stops:
      description: The versions that no endpoint begins any more.
      type: list
      elements: dict
      returned: always
      contains:
        version:
          description: The version.
          type: str
          returned: always
          sample: "13"
        kind:
          description: V(halted) or V(inconclusive), which wait for somebody's word, or V(held).
          type: str
          returned: always
          sample: halted
        ring:
          description: The ring in which it was stopped. Empty where somebody did it.
          type: str
          returned: always
          sample: canary
        reason:
          description: Why, in one sentence.
          type: str
          returned: always
          sample: "1 of 2 failed: probe: sample 1 is not found"
        since:
          description: Since when.
          type: str
          returned: always
          sample: "2026-11-29T12:10:00Z"
        by:
          description: Who decided. Empty where the server did.
          type: str
          returned: always
          sample: ""
        restore:
          description: The version that endpoints go back to. Empty where they keep what they have.
          type: str
          returned: always
          sample: ""
        components:
          description: The versions of components that are new in a held version.
          type: dict
          returned: always
          sample: {rules: "13"}
        commands:
          description: What can be typed on the server about it.
          type: list
          elements: str
          returned: always
          sample: ["epp-server rollout abort 13 --product files --reason 'WHY'"]
    events:
      description: The last decisions, the newest first.
      type: list
      elements: dict
      returned: always
      contains:
        at:
          description: When it was decided.
          type: str
          returned: always
          sample: "2026-11-29T12:10:00Z"
        product:
          description: The product.
          type: str
          returned: always
          sample: files
        version:
          description: The version.
          type: str
          returned: always
          sample: "13"
        ring:
          description: The ring. Empty where it is about all of them.
          type: str
          returned: always
          sample: canary
        kind:
          description: >-
            V(published), V(offered), V(passed), V(halted), V(inconclusive), V(resumed), V(aborted), V(held),
            V(released) or V(expedited).
          type: str
          returned: always
          sample: halted
        reason:
          description: Why, in one sentence.
          type: str
          returned: always
          sample: "1 of 2 failed: probe: sample 1 is not found"
        evidence:
          description: What it was decided by, such as the counts of the ring, or who decided.
          type: dict
          returned: always
          sample: {eligible: 2, healthy: 1, failed: 1, pending: 0}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import rollout, server_specs


def main() -> None:
    rollout.rollout_info(AnsibleModule(argument_spec=server_specs.rollout_info(), supports_check_mode=True))


if __name__ == "__main__":
    main()
