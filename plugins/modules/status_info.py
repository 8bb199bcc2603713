#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_info
short_description: Read an endpoint's status
version_added: 1.0.0
description:
  - Returns what the endpoint knows about itself, which is its identity, the policy in force, the switches its user
    holds, component versions, the last result of each trigger, the next run, and the last scan.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
  - epp.autoupdate._attributes.info
attributes:
  platform:
    support: full
    platforms: linux
seealso:
  - module: epp.autoupdate.update_now
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Read the status
  epp.autoupdate.status_info:
  register: endpoint

- name: Refuse to go on with an endpoint that could not update
  ansible.builtin.assert:
    that: endpoint.status.last.schedule.result | default('current') in ['updated', 'current']
"""

RETURN = r"""
status:
  description: The status document of the endpoint, as C(epp-agent status --json) prints it.
  returned: success
  type: dict
  sample: {}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import agent, specs


def main() -> None:
    agent.status_info(AnsibleModule(argument_spec=specs.root(), supports_check_mode=True))


if __name__ == "__main__":
    main()
