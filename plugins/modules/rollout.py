#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout
short_description: Set the rings of a product on an update server
version_added: 1.0.0
description:
  - Sets by which rings the versions of a product reach endpoints, and when a ring passes a version on. The rest of the
    server's settings stays as it is.
  - The role P(epp.autoupdate.server#role) sets the same from C(autoupdate_server_rollout), and what it applies
    replaces what this module has set. Use one of them.
  - Where policy lets endpoints upgrade the packages of the product's engine, the versions of these packages go through
    the same rings.
  - What a rollout is doing is not changed by new thresholds, except that they count from then on. A ring that is new
    begins with the version that the ring behind it has.
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
  product:
    description:
      - The product.
    type: str
    choices:
      - clamav
      - command
      - files
    required: true
  state:
    description:
      - With V(absent), the product has no rings, and each version is offered to all endpoints at once.
    type: str
    choices:
      - present
      - absent
    default: present
  rings:
    description:
      - The rings in their order, the first to be offered a version first. The last one has all endpoints that no other
        ring has. Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The ring's name, of small letters, digits, C(-) and C(_). Its channel has the same.
        type: str
        required: true
      domains:
        description:
          - Domains whose endpoints, and those of the domains below, are in the ring. The nearest domain counts.
        type: list
        elements: str
      endpoints:
        description:
          - Names of endpoints that are in the ring, whatever their domain.
        type: list
        elements: str
      percent:
        description:
          - The share of the endpoints that no ring names, from V(0.1) to V(100). It follows the ordinal of each
            endpoint, so that nobody leaves a share that grows.
        type: float
      bake_time:
        description:
          - The time for which enough endpoints of a ring must have been healthy with a version before the next ring is
            offered it. By default that of the product.
        type: str
      success_threshold:
        description:
          - The percentage of a ring that must be healthy with a version. By default that of the product.
        type: int
      failure_threshold:
        description:
          - The failures beyond which the version is halted, as a count (V(3)) or as a percentage (V(5%)). By default
            that of the product.
        type: str
      minimum_finished:
        description:
          - The number of endpoints of a ring that must have succeeded or failed before a percentage counts. By default
            that of the product.
        type: int
      silence:
        description:
          - The time after which an endpoint of a ring that the server has not heard of is a failure. By default that of
            the product.
        type: str
      deadline:
        description:
          - The time by which a ring must have passed a version; it is halted then. By default that of the product.
        type: str
  bake_time:
    description:
      - The time for which enough endpoints of a ring must have been healthy with a version before the next ring is
        offered it. The default is V(4h).
    type: str
  success_threshold:
    description:
      - The percentage of a ring that must be healthy with a version. The default is V(95).
    type: int
  failure_threshold:
    description:
      - The failures beyond which the version is halted, as a count (V(3)) or as a percentage (V(5%)). The default is
        V(5%).
    type: str
  minimum_finished:
    description:
      - The number of endpoints of a ring that must have succeeded or failed before a percentage counts. The default is
        V(1).
    type: int
  silence:
    description:
      - The time after which an endpoint of a ring that the server has not heard of is a failure. The default is V(26h).
    type: str
  deadline:
    description:
      - The time by which a ring must have passed a version; it is halted then. The default is V(7d).
    type: str
  promotion:
    description:
      - When a version may be offered to the next ring.
    type: dict
    suboptions:
      days:
        description:
          - The days of the week; an empty list means all.
        type: list
        elements: str
        choices:
          - monday
          - tuesday
          - wednesday
          - thursday
          - friday
          - saturday
          - sunday
      hours:
        description:
          - The hours of the day, such as V(08:00-18:00); an empty list means all.
        type: list
        elements: str
      timezone:
        description:
          - The time zone of days and hours. The default is V(UTC).
        type: str
  dry_run:
    description:
      - Whether everybody is offered the newest version at once, and decisions are recorded only. The default is
        V(false).
    type: bool
seealso:
  - module: epp.autoupdate.rollout_info
  - module: epp.autoupdate.rollout_state
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Give new files to two hosts first, then to a tenth of the others, then to all
  epp.autoupdate.rollout:
    product: files
    rings:
      - name: canary
        endpoints: [web-1, web-2]
        failure_threshold: "0"
      - name: early
        percent: 10
      - name: broad
    bake_time: 6h
  delegate_to: updates.example.com
  become: true
"""

RETURN = r"""
drift:
  description: What is brought about beside the files, in words.
  returned: success
  type: list
  elements: str
  sample: [epp-server-promote.timer is not active]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import rollout, server_specs


def main() -> None:
    rollout.rollout(AnsibleModule(argument_spec=server_specs.rollout(), supports_check_mode=True))


if __name__ == "__main__":
    main()
