#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_now
short_description: Update components at once, on one endpoint or on many through their update server
version_added: 1.0.0
description:
  - Starts an update on the endpoint and waits for its result.
  - The result comes from evidence, which is the versions before and after and what the product itself recorded. An exit
    code alone decides nothing.
  - When another update runs already, this one joins it and returns its result.
  - With O(endpoints), O(domains) or O(outdated) the task runs on the update server, which notifies the endpoints that
    are meant, not more at a time than its cap allows, and waits for their answers. A roaming endpoint takes no
    commands, and one that is off is tried once; neither makes the task fail. Users need no privilege for that.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
attributes:
  check_mode:
    support: full
    details: >-
      Starts nothing and contacts no update source. The versions that are installed are returned, or on an update
      server, who would be notified.
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
      - On an update server, what is under way then goes on and is found in the records, and what had not begun does not
        begin any more.
    type: str
    default: 2h
  endpoints:
    description:
      - The names of endpoints, as the update server has them. An empty list means nobody.
    type: list
    elements: str
  domains:
    description:
      - The paths of domains, such as V(emea/finance). All endpoints in them and below them are meant; the empty string
        is the root, so everybody.
    type: list
    elements: str
  outdated:
    description:
      - Only endpoints that are behind what the update server publishes, or that never reported anything - of those that
        O(endpoints) and O(domains) name, or of all.
    type: bool
    default: false
seealso:
  - module: epp.autoupdate.fleet_info
  - module: epp.autoupdate.endpoint_info
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

- name: Update what is behind in one domain, through the update server
  epp.autoupdate.update_now:
    domains:
      - emea/finance
    outdated: true
    timeout: 30m
  delegate_to: updates.example.com
"""

RETURN = r"""
result:
  description:
    - How the update ended.
    - In check mode V(skipped).
  returned: on an endpoint
  type: str
  sample: updated
reason:
  description: What there is to say about it, in one sentence. Empty when there is nothing.
  returned: on an endpoint
  type: str
  sample: ""
before:
  description: The components before the update.
  returned: on an endpoint
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
  returned: on an endpoint
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
  description: When RV(result=cooling_down), the instant until which the source asked to be left alone.
  returned: when known
  type: str
  sample: "2026-11-29T13:00:00Z"
joined:
  description: The trigger of the update that ran already and that this one joined.
  returned: when it joined another update
  type: str
  sample: schedule
campaign:
  description:
    - Under which id the update server has this Update Now on record. V(null) where there was nobody to notify, and in
      check mode.
  returned: on an update server
  type: str
  sample: c-a8f9c52a97f7c66ff10d60228a59d8
notified:
  description: The endpoints that were meant, or would be in check mode.
  returned: on an update server
  type: list
  elements: str
  sample: [n1, n2]
endpoints:
  description: What became of each of them. Empty in check mode.
  returned: on an update server
  type: list
  elements: dict
  contains:
    name:
      description: The endpoint's name.
      type: str
      returned: always
      sample: n1
    status:
      description: Where it stands, V(finished) when it has reported.
      type: str
      returned: always
      sample: finished
    result:
      description: How its update ended, in its own word. Empty while that is not known.
      type: str
      returned: always
      sample: updated
    reason:
      description: What there is to say about it, in one sentence.
      type: str
      returned: always
      sample: ""
    until:
      description:
        - When RV(endpoints[].result=cooling_down), the instant until which its source asked to be left alone. Otherwise
          V(null).
      type: str
      returned: always
      sample: "2026-11-29T13:00:00Z"
    before:
      description: Its components before the update, as far as it reported them.
      type: list
      elements: dict
      returned: always
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
      description: Its components after the update, as far as it reported them.
      type: list
      elements: dict
      returned: always
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
failed_endpoints:
  description: The endpoints that reported that their update failed or reached no source. The task fails then.
  returned: on an update server, not in check mode
  type: list
  elements: str
  sample: []
refused:
  description:
    - The endpoints that are up and that the server can't notify, because sshd does not accept its key or the host key
      is not the pinned one. The task fails then.
  returned: on an update server, not in check mode
  type: list
  elements: str
  sample: []
not_reached:
  description: The endpoints that were off.
  returned: on an update server, not in check mode
  type: list
  elements: str
  sample: [laptop17]
pending:
  description: The endpoints that had not answered when O(timeout) was over. The task fails then.
  returned: on an update server, not in check mode
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import agent, specs


def main() -> None:
    spec = {**specs.installroot(), **specs.timeout(), **specs.selection()}
    agent.update_now(AnsibleModule(argument_spec=spec, supports_check_mode=True))


if __name__ == "__main__":
    main()
