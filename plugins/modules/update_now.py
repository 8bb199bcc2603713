#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_now
short_description: Update an endpoint's components at once
version_added: 1.0.0
description:
  - Starts an update on the endpoint and waits for its result.
  - The result comes from evidence, which is the versions before and after and what the product itself recorded. An exit
    code alone decides nothing.
  - When another update runs already, this one joins it and returns its result.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
attributes:
  check_mode:
    support: full
    details: Starts nothing and contacts no update source. The versions that are installed are returned.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: Is changed only when a component changed. A new version may have come out between two calls.
  async:
    support: full
  platform:
    support: full
    platforms: linux
options:
  timeout:
    description:
      - How long to wait for the agent, such as V(10m). When that is over the update is ended, and the task fails.
      - The agent itself ends an update after the O(epp.autoupdate.endpoint#module:limits.update) of its endpoint.
    type: str
    default: 2h
seealso:
  - module: epp.autoupdate.status_info
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Update now
  epp.autoupdate.update_now:
  register: update

- name: Show the versions
  ansible.builtin.debug:
    msg: "{{ update.result }}: {{ update.before }} before, {{ update.after }} now"
"""

RETURN = r"""
result:
  description:
    - How the update ended.
    - In check mode V(skipped).
  returned: always
  type: str
  sample: updated
why:
  description: What there is to say about it, in one sentence. Empty when there is nothing.
  returned: always
  type: str
  sample: ""
before:
  description: The components before the update.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The component's name.
      type: str
      returned: always
      sample: daily
    version:
      description: The product's own word for its version.
      type: str
      returned: always
      sample: "27001"
after:
  description: The components after the update.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The component's name.
      type: str
      returned: always
      sample: daily
    version:
      description: The product's own word for its version.
      type: str
      returned: always
      sample: "27002"
until:
  description: When RV(result=cooling_down), the instant until which the source asked to be left alone, in Unix seconds.
  returned: when known
  type: int
  sample: 1763798400
joined:
  description: The trigger of the update that ran already and that this one joined.
  returned: when it joined another update
  type: str
  sample: schedule
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import agent, specs


def main() -> None:
    spec = {**specs.root(), **specs.timeout()}
    agent.update_now(AnsibleModule(argument_spec=spec, supports_check_mode=True))


if __name__ == "__main__":
    main()
