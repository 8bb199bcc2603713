#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: client_tree
short_description: Register the domains and endpoints of a fleet on its update server, in one task
version_added: 1.0.0
description:
  - Brings the client tree of an update server to what is wanted, for any number of domains and endpoints at once. What
    changes is published before the task ends; endpoints take it over when they next fetch their configuration.
  - What is not given stays as it is on the server. An endpoint that is new gets the lowest free ordinal, unless one is
    given, and keeps it for life.
  - With O(use_variables) the task takes all hosts of the play and the pinned policies from their variables. Run it on
    the update server by C(delegate_to), with C(run_once). In a strategy that runs it for each host all the same, such
    as C(free), the first one registers all, and the others get its result without asking the server again.
  - No variable of a host outside the play is looked at, so a part of the inventory registers this part.
  - Every error is reported at once, each with its path or with its host and variable, before anything changes.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options.server_installroot
  - epp.autoupdate._policy.client_tree
attributes:
  check_mode:
    support: full
    details: Where there is no update server yet, everything counts as new.
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: none
  platform:
    support: full
    platforms: linux
options:
  domains:
    description:
      - The domains, by their paths such as V(emea/finance). Domains above them are made, too.
      - Each value is a policy like O(policy), which is all that the domain sets itself, or V(null) for a domain whose
        policy is to stay as it is.
    type: dict
  absent:
    description:
      - The names of endpoints to remove, whether they are registered or not. What the server still had to tell them is
        dropped, and their ordinals are free again. On a host that is no update server any more there is nothing to do.
    type: list
    elements: str
  purge:
    description:
      - Remove the endpoints that are not in O(endpoints), and, if O(domains) is given, the domains that are neither in
        it nor needed by an endpoint.
      - Not with O(use_variables), because a play may see a part of the inventory only.
    type: bool
    default: false
  use_variables:
    description:
      - Take what is not given from the variables of all hosts of the play. Hosts whose C(autoupdate_state) is V(absent)
        are O(absent).
      - Of each host, C(autoupdate_domain), C(autoupdate_ordinal), C(autoupdate_endpoint_policy),
        C(autoupdate_address) and C(autoupdate_host_key). Its name is C(autoupdate_endpoint_name), or else
        C(inventory_hostname) or a name made of it (see P(epp.autoupdate.endpoint_name#filter)).
      - The address of each is C(ansible_host) with C(ansible_port), or
        C(inventory_hostname), unless it is given, and C(autoupdate_installroot) where that is set.
      - Of all hosts together, C(autoupdate_policy) and C(autoupdate_domain_policies), the policies that the inventory
        pins. Two hosts that say different things about one node are an error. What is empty counts as not set.
    type: bool
    default: false
  host_keys_from:
    description:
      - The name of a variable in which tasks of M(epp.autoupdate.endpoint) in this play have registered their results.
        Their host keys are taken from there, unless C(autoupdate_host_key) is set. Only with O(use_variables).
    type: str
  server_host:
    description:
      - Take only the hosts whose C(autoupdate_server_host) is this one. By default all hosts of the play are taken, and
        one of another server is an error. Only with O(use_variables).
    type: str
seealso:
  - module: epp.autoupdate.endpoint
  - module: epp.autoupdate.fleet_info
  - module: epp.autoupdate.update_schedule
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Register the hosts of this play, as their variables say
  epp.autoupdate.client_tree:
    use_variables: true
  delegate_to: updates.example.com
  run_once: true

- name: Make two domains, one of which has a window of its own
  epp.autoupdate.client_tree:
    domains:
      emea: null
      emea/finance:
        schedule:
          start: "22:00"
          window: 1h
  delegate_to: updates.example.com

- name: Take an endpoint out of the registry that does not exist any more
  epp.autoupdate.client_tree:
    absent: [n7]
  delegate_to: updates.example.com

- name: Bring the registry to a list that is known to be whole
  epp.autoupdate.client_tree:
    endpoints:
      - name: n1
        domain: emea/finance
        address: 192.0.2.17
      - name: n2
        domain: emea
        policy:
          privileges:
            go_roaming: true
    purge: true
  delegate_to: updates.example.com
"""

RETURN = r"""
counts:
  description: How many there are of each.
  returned: success
  type: dict
  contains:
    registered:
      description: Endpoints that are registered now, or would be in check mode.
      type: int
      returned: always
      sample: 40
    added:
      description: Endpoints that are new.
      type: int
      returned: always
      sample: 40
    modified:
      description: Endpoints that were registered otherwise.
      type: int
      returned: always
      sample: 0
    removed:
      description: Endpoints that are registered no more.
      type: int
      returned: always
      sample: 0
    domains:
      description: Domains that are new, removed, or set something else.
      type: int
      returned: always
      sample: 2
added:
  description: The first names of new endpoints, 20 at most.
  returned: success
  type: list
  elements: str
  sample: [n1, n2]
modified:
  description: The first names of endpoints that were registered otherwise, 20 at most.
  returned: success
  type: list
  elements: str
  sample: []
removed:
  description: The first names of endpoints that are registered no more, 20 at most.
  returned: success
  type: list
  elements: str
  sample: []
domains:
  description: The first paths of domains that changed, 20 at most.
  returned: success
  type: list
  elements: str
  sample: [emea, emea/finance]
enrolment:
  description:
    - What endpoints need to know of the server, for the option C(server) of M(epp.autoupdate.endpoint).
    - V(null) in check mode where there is no server yet.
  returned: success
  type: dict
  contains:
    url:
      description: The server's base URL.
      type: str
      returned: always
      sample: https://updates.example.com
    signers:
      description: The public keys whose signatures count.
      type: list
      elements: str
      returned: always
      sample: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz]
    notify_key:
      description: The public key by which the server notifies.
      type: str
      returned: always
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz
    notify_user:
      description: The user on endpoints as whom it notifies.
      type: str
      returned: always
      sample: epp-notify
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import client_tree, specs


def main() -> None:
    client_tree.run(AnsibleModule(argument_spec=specs.client_tree(), supports_check_mode=True))


if __name__ == "__main__":
    main()
