#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
short_description: Make the report on the fleet of an update server
version_added: 1.0.0
description:
  - Returns the report on all endpoints of an update server as one HTML file, which needs no other file and no network,
    and the figures of its first screen. The module runs on the update server and contacts no endpoint.
  - The playbook C(epp.autoupdate.report) writes the file on the control node.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options.server_installroot
  - epp.autoupdate._attributes.info
attributes:
  platform:
    support: full
    platforms: linux
seealso:
  - module: epp.autoupdate.fleet_info
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Make the report
  epp.autoupdate.fleet_report:
  delegate_to: updates.example.com
  become: true
  register: fleet

- name: Write it on the control node
  ansible.builtin.copy:
    content: "{{ fleet.html }}"
    dest: reports/fleet.html
    mode: "0600"
  delegate_to: localhost
  diff: false
"""

RETURN = r"""
html:
  description: The content of the file, in ASCII.
  returned: success
  type: str
  sample: <!DOCTYPE html>...
at:
  description: The instant that the report is of.
  returned: success
  type: str
  sample: "2026-11-29T12:00:00Z"
endpoints:
  description: The number of registered endpoints.
  returned: success
  type: int
  sample: 40
states:
  description: The number of endpoints in each state.
  returned: success
  type: dict
  sample: {failing: 1, refusing: 0, silent: 2, behind: 3, never_seen: 0, switched_off: 0, roaming: 1, current: 33}
alarms:
  description: What somebody has to look at, the gravest first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The kind of the alarm, such as V(expiry), V(fetch), V(component_age), V(outdated) or V(failing).
      type: str
      returned: always
      sample: silent
    words:
      description: The alarm in one sentence.
      type: str
      returned: always
      sample: 5 endpoints of 40 silent (limit 10 %)
    subject:
      description: The product or the document that it is about. Empty where it is about endpoints.
      type: str
      returned: always
      sample: ""
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import fleet_report, spec_parts


def main() -> None:
    fleet_report.fleet_report(AnsibleModule(argument_spec=spec_parts.installroot(), supports_check_mode=True))


if __name__ == "__main__":
    main()
