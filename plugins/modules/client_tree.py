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
  - Sets the policy of the root, the domains and the endpoints of the client tree of an update server, any number of
    them at once. The task publishes the changes before it ends. Endpoints adopt them when they next fetch their
    configuration.
  - The server keeps what is not given. A new endpoint gets the lowest free ordinal, unless one is given, and keeps it
    for life.
  - With O(use_variables), the task takes all hosts of the play and the pinned policies from their variables. Run it on
    the update server with C(delegate_to) and C(run_once). In a strategy that runs it for each host all the same, such
    as C(free), the first host registers all, and the others get its result without asking the server again.
  - The task reads no variables of hosts outside the play, so a run on a part of the inventory registers this part.
  - All errors are reported at once, each with its path or with its host and variable, before anything changes.
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
      - The domains, as a mapping of their paths, such as V(emea/finance), to policies. The domains above them are
        created as well.
      - A policy has the keys of O(policy) and holds all that the domain sets itself. V(null) keeps the domain's policy.
    type: dict
  absent:
    description:
      - The names of endpoints to remove, whether they are registered or not. Their open deliveries are dropped, and
        their ordinals are free again. On a host that is no update server any more there is nothing to do.
    type: list
    elements: str
  purge:
    description:
      - Remove the endpoints that are not in O(endpoints), and, if O(domains) is given, the domains that are neither in
        that option nor needed by an endpoint.
      - Not with O(use_variables), because a play may see only a part of the inventory.
    type: bool
    default: false
  use_variables:
    description:
      - Take options that are not given from the variables of all hosts of the play. Hosts whose C(autoupdate_state) is
        V(absent) are O(absent).
      - The variables of each host are C(autoupdate_domain), C(autoupdate_ordinal), C(autoupdate_endpoint_policy),
        C(autoupdate_address) and C(autoupdate_host_key). Its name is C(autoupdate_endpoint_name), or else
        C(inventory_hostname) or a name made of it (see P(epp.autoupdate.endpoint_name#filter)).
      - The address of each is C(ansible_host) with C(ansible_port), or C(inventory_hostname), unless it is given, and
        C(autoupdate_installroot) where that is set.
      - The variables of all hosts together are C(autoupdate_policy) and C(autoupdate_domain_policies), the policies
        that the inventory pins. Different values of two hosts for one node are an error. An empty value counts as not
        set.
      - O(installroot) is C(autoupdate_server_installroot) of the update server, which the task is delegated to.
      - With C(become=true) the task becomes root only where that is needed. See
        O(epp.autoupdate.endpoint#module:use_variables).
    type: bool
    default: false
  host_keys_from:
    description:
      - The name of the variable in which tasks of M(epp.autoupdate.endpoint) in this play have registered their
        results. The host keys of endpoints are taken from there, unless C(autoupdate_host_key) is set. Only with
        O(use_variables).
    type: str
  server_host:
    description:
      - Take only the hosts whose update server is this one. That is C(autoupdate_server_host), or else the only host
        of the group C(autoupdate_servers). By default all hosts of the play are taken, and one of another server is an
        error. Only with O(use_variables).
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

- name: Create two domains, one with its own window
  epp.autoupdate.client_tree:
    domains:
      emea: null
      emea/finance:
        schedule:
          start: "22:00"
          window: 1h
  delegate_to: updates.example.com

- name: Remove an endpoint that does not exist any more
  epp.autoupdate.client_tree:
    absent: [n7]
  delegate_to: updates.example.com

- name: Remove all endpoints that are not in a complete list
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
  description: The number of endpoints and domains that changed.
  returned: success
  type: dict
  contains:
    registered:
      description: The number of endpoints that are registered now, or would be in check mode.
      type: int
      returned: always
      sample: 40
    added:
      description: The number of new endpoints.
      type: int
      returned: always
      sample: 40
    modified:
      description: The number of endpoints whose registration changed.
      type: int
      returned: always
      sample: 0
    removed:
      description: The number of removed endpoints.
      type: int
      returned: always
      sample: 0
    domains:
      description: The number of domains that are new, removed or changed.
      type: int
      returned: always
      sample: 2
added:
  description: The names of new endpoints, the first 20 at most.
  returned: success
  type: list
  elements: str
  sample: [n1, n2]
modified:
  description: The names of endpoints whose registration changed, the first 20 at most.
  returned: success
  type: list
  elements: str
  sample: []
removed:
  description: The names of removed endpoints, the first 20 at most.
  returned: success
  type: list
  elements: str
  sample: []
domains:
  description: The paths of domains that are new, removed or changed, the first 20 at most.
  returned: success
  type: list
  elements: str
  sample: [emea, emea/finance]
enrollment:
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
      description: The public SSH key with which the server notifies. V(null) where it notifies over a message broker.
      type: str
      returned: always
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz
    notify_user:
      description: The user on endpoints as whom the server logs in.
      type: str
      returned: always
      sample: epp-notify
    broker:
      description: The message broker over which the server notifies.
      type: dict
      returned: when the server notifies over one
      contains:
        hosts:
          description: The names or addresses of the broker's hosts.
          type: list
          elements: str
          returned: always
          sample: [broker.example.com]
        port:
          description: The port.
          type: int
          returned: always
          sample: 8883
        prefix:
          description: The begin of all topics.
          type: str
          returned: always
          sample: epp
        ca:
          description: The path of the file with the authorities of the broker's certificate.
          type: str
          returned: when it is set
          sample: /etc/ssl/certs/broker.pem
        certificate:
          description: The path of a certificate for the broker.
          type: str
          returned: when it is set
          sample: /etc/epp-broker/endpoint.pem
        key:
          description: The path of the key of the certificate.
          type: str
          returned: when it is set
          sample: /etc/epp-broker/endpoint.key
        user:
          description: The user at the broker.
          type: str
          returned: when it is set
          sample: endpoints
        password_file:
          description: The path of a file whose first line is the password.
          type: str
          returned: when it is set
          sample: /etc/epp-broker/password
"""

from ansible_collections.epp.autoupdate.plugins.module_utils._module import client_tree, specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.quiet_module import QuietModule


def main() -> None:
    client_tree.run(QuietModule(argument_spec=specs.client_tree(), supports_check_mode=True))


if __name__ == "__main__":
    main()
