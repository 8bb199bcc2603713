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
  - The result follows from the versions before and after the update and from what the product recorded, never from an
    exit code alone.
  - Where another update is already running, the module joins it and returns its result.
  - With O(endpoints), O(domains) or O(outdated), the task runs on the update server. The server notifies the selected
    endpoints, at most C(notify.max_in_flight) at one time, and waits for their answers. A roaming endpoint skips the
    update, and an endpoint that is off is tried once. Neither makes the task fail.
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
      - The longest time to wait for the result, such as V(10m). After it the update is ended, and the task fails.
      - The agent itself ends an update after O(epp.autoupdate.endpoint#module:limits.update).
      - On an update server, updates that have begun go on after it, and M(epp.autoupdate.fleet_info) returns their
        results. Endpoints that were not notified by then are not notified any more.
    type: str
    default: 2h
  endpoints:
    description:
      - The names of endpoints, as the update server has them. An empty list selects no endpoint.
    type: list
    elements: str
  domains:
    description:
      - The paths of domains, such as V(emea/finance), whose endpoints are selected, with those of all domains below
        them. The empty string stands for the root and selects all endpoints.
    type: list
    elements: str
  outdated:
    description:
      - Select only endpoints that are behind what the update server publishes or that have never reported. Without
        O(endpoints) and O(domains), all endpoints are looked at.
    type: bool
    default: false
  product:
    description:
      - The product to update, of an endpoint that has several. Without it all of them are updated, one after the other.
        The task fails where the endpoint has no such product, also in check mode.
      - Not on an update server, where endpoints update their first product.
    type: str
  use_variables:
    description:
      - Take what is not given from the variables of the host that the task runs on. That is O(installroot), from
        C(autoupdate_installroot), or from C(autoupdate_server_installroot) where endpoints are chosen on their update
        server.
      - With C(become=true) the task becomes root only where that is needed. See
        O(epp.autoupdate.endpoint#module:use_variables).
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

- name: Update the outdated endpoints of one domain, through the update server
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
    - The result of the update. V(skipped) in check mode.
  returned: on an endpoint
  type: str
  sample: updated
reason:
  description: The reason for the result in one sentence. Empty where none is needed.
  returned: on an endpoint
  type: str
  sample: ""
product:
  description: The product of which RV(result) tells, the one with the worst result.
  returned: on an endpoint with several products, without O(product)
  type: str
  sample: clamav
products:
  description: The update of each product.
  returned: on an endpoint with several products, without O(product)
  type: list
  elements: dict
  contains:
    product:
      description: The name of the product.
      type: str
      returned: always
      sample: suricata
    result:
      description: The result of its update.
      type: str
      returned: always
      sample: updated
    reason:
      description: The reason for the result in one sentence. Empty where none is needed.
      type: str
      returned: always
      sample: ""
    before:
      description: Its components before the update.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The component's name.
          type: str
          returned: always
          sample: rules
        version:
          description: The version, as the product writes it.
          type: str
          returned: always
          sample: "1"
    after:
      description: Its components after the update.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The component's name.
          type: str
          returned: always
          sample: rules
        version:
          description: The version, as the product writes it.
          type: str
          returned: always
          sample: "2"
    until:
      description: With V(cooling_down), the instant until which the endpoint sends the source no request.
      type: str
      returned: when known
      sample: "2026-11-29T13:00:00Z"
    joined:
      description: The trigger of the running update that this one joined.
      type: str
      returned: when it joined another update
      sample: schedule
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
      description: The version, as the product writes it.
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
      description: The version, as the product writes it.
      type: str
      returned: always
      sample: "27002"
until:
  description: With RV(result=cooling_down), the instant until which the endpoint sends the source no request.
  returned: when known
  type: str
  sample: "2026-11-29T13:00:00Z"
joined:
  description: The trigger of the running update that this one joined.
  returned: when it joined another update
  type: str
  sample: schedule
campaign:
  description:
    - The id of the campaign in the records of the update server. V(null) where no endpoint was notified, and in check
      mode.
  returned: on an update server
  type: str
  sample: c-a8f9c52a97f7c66ff10d60228a59d8
notified:
  description: The selected endpoints, also in check mode.
  returned: on an update server
  type: list
  elements: str
  sample: [n1, n2]
endpoints:
  description: The result of each selected endpoint. Empty in check mode.
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
      description: The status of its delivery, V(finished) when the endpoint has reported.
      type: str
      returned: always
      sample: finished
    result:
      description: The result that the endpoint reported. Empty while it is not known.
      type: str
      returned: always
      sample: updated
    reason:
      description: The reason for the result in one sentence.
      type: str
      returned: always
      sample: ""
    until:
      description:
        - With RV(endpoints[].result=cooling_down), the instant until which the endpoint sends the source no request,
          otherwise V(null).
      type: str
      returned: always
      sample: "2026-11-29T13:00:00Z"
    before:
      description: The components of the endpoint before the update, as far as it reported them.
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
          description: The version, as the product writes it.
          type: str
          returned: always
          sample: "27001"
    after:
      description: The components of the endpoint after the update, as far as it reported them.
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
          description: The version, as the product writes it.
          type: str
          returned: always
          sample: "27002"
failed_endpoints:
  description: The endpoints whose update failed or reached no source. The task fails if there is any.
  returned: on an update server, not in check mode
  type: list
  elements: str
  sample: []
refused:
  description:
    - The endpoints that are up and that the server can't notify, because sshd does not accept its key or the host key
      is not the pinned one. The task fails if there is any.
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
  description: The endpoints that did not answer within O(timeout). The task fails if there is any.
  returned: on an update server, not in check mode
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import agent, specs


def main() -> None:
    agent.update_now(AnsibleModule(argument_spec=specs.update_now(), supports_check_mode=True))


if __name__ == "__main__":
    main()
