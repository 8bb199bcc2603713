#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Read what an update server knows of its fleet
version_added: 1.0.0
description:
  - Returns the registered endpoints with what they last reported, the campaigns, the versions that are published, and
    the status of the server itself. Runs on the update server and contacts no endpoint.
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
  gather:
    description:
      - What to return. V(status) brings RV(published) as well.
    type: list
    elements: str
    choices:
      - endpoints
      - campaigns
      - status
    default:
      - endpoints
      - campaigns
      - status
  endpoints:
    description:
      - Only the endpoints of these names.
      - With O(domains), those that either names. This does not limit the campaigns.
    type: list
    elements: str
  domains:
    description:
      - Only the endpoints in these domains, such as V(emea/finance), and below them.
    type: list
    elements: str
  outdated:
    description:
      - Only endpoints that are behind what is published, or that never reported anything.
    type: bool
    default: false
  recent_campaigns:
    description:
      - How many campaigns to return at most, the newest first.
    type: int
    default: 20
seealso:
  - module: epp.autoupdate.endpoint_info
  - module: epp.autoupdate.update_now
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Find out who is behind in one domain
  epp.autoupdate.fleet_info:
    gather:
      - endpoints
    domains:
      - emea
    outdated: true
  delegate_to: updates.example.com
  register: behind

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ behind.endpoints | map(attribute='name') }}"
"""

RETURN = r"""
endpoints:
  description: The registered endpoints, by name.
  returned: if O(gather) has V(endpoints)
  type: list
  elements: dict
  contains:
    name:
      description: The endpoint's name.
      type: str
      returned: always
      sample: n1
    domain:
      description: The path of its domain, empty directly below the root.
      type: str
      returned: always
      sample: emea/finance
    ordinal:
      description: Its number among the endpoints of its source.
      type: int
      returned: always
      sample: 0
    source:
      description: The name of its update source, empty for the one for all.
      type: str
      returned: always
      sample: ""
    address:
      description: How the server reaches it, empty where it does not.
      type: str
      returned: always
      sample: 192.0.2.17
    pinned:
      description: Whether its host key is known, without which it is not notified over SSH.
      type: bool
      returned: always
      sample: true
    versions:
      description: Component versions as it last reported them, by product.
      type: dict
      returned: always
      sample: {clamav: {daily: "27001"}}
    reported:
      description: When it last reported. V(null) if it never did.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    outdated:
      description: Whether it is behind what is published, or never reported anything.
      type: bool
      returned: always
      sample: false
    notice:
      description: Its part in its last campaign. V(null) if it had none.
      type: dict
      returned: always
      contains:
        campaign:
          description: The id of that campaign.
          type: str
          returned: always
          sample: c-a8f9c52a97f7c66ff10d60228a59d8
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
        changed:
          description: When this part changed last.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
campaigns:
  description: The newest campaigns, with how many endpoints have each status.
  returned: if O(gather) has V(campaigns)
  type: list
  elements: dict
  contains: &campaign
    campaign:
      description: Its id.
      type: str
      returned: always
      sample: c-a8f9c52a97f7c66ff10d60228a59d8
    trigger:
      description: Why it began, V(download), V(schedule) or V(manual).
      type: str
      returned: always
      sample: download
    product:
      description: The product that it is about; V(schedule) and V(now) for those of slots and of Update Now.
      type: str
      returned: always
      sample: clamav
    version:
      description: The version that it is about.
      type: str
      returned: always
      sample: daily=27001
    created:
      description: When it began.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    open:
      description: Whether anything of it is still to be done.
      type: bool
      returned: always
      sample: false
    statuses:
      description: How many endpoints have each status.
      type: dict
      returned: always
      sample: {finished: 39, skipped: 1}
    results:
      description:
        - How many endpoints have each result, such as V(updated), V(failed), V(refused) or V(not reached); for those
          that have none yet, how many have each status.
      type: dict
      returned: always
      sample: {failed: 2, updated: 37, skipped: 1}
    failed:
      description: How many endpoints reported that their update failed, or that they reached no source.
      type: int
      returned: always
      sample: 2
    reason:
      description: What most of those say whose update failed. Empty where none did.
      type: str
      returned: always
      sample: no space left on the file system of /var/lib/clamav
published:
  description: The versions that are published, by product and component.
  returned: if O(gather) has V(status)
  type: dict
  sample: {clamav: {daily: "27001"}}
status:
  description: The rest of what C(epp-server status --json) prints.
  returned: if O(gather) has V(status)
  type: dict
  contains:
    version:
      description: The version of the program on the server.
      type: str
      returned: always
      sample: 1.0.0
    endpoints:
      description: How many endpoints are registered.
      type: int
      returned: always
      sample: 40
    domains:
      description: How many domains there are.
      type: int
      returned: always
      sample: 3
    unpinned:
      description: How many endpoints have no pinned host key.
      type: int
      returned: always
      sample: 1
    fetches:
      description: What came of the last fetch of each product.
      type: dict
      returned: always
      contains:
        clamav:
          description: The last fetch of V(clamav).
          type: dict
          returned: when there was one
          contains: &fetch
            product:
              description: The product.
              type: str
              returned: always
              sample: clamav
            at:
              description: When it ended.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            result:
              description: How it ended, such as V(updated), V(current), V(cooling_down) or V(failed).
              type: str
              returned: always
              sample: updated
            reason:
              description: What there is to say about it, in one sentence. Empty when there is nothing.
              type: str
              returned: always
              sample: ""
            until:
              description:
                - >-
                  When it is V(cooling_down), the instant until which the source is left alone, otherwise V(null).
              type: str
              returned: always
              sample: "2026-11-29T13:00:00Z"
            version:
              description: The version that is published. V(null) where none is.
              type: str
              returned: always
              sample: daily=27001
            campaign:
              description: The id of the campaign that it began. V(null) if it began none.
              type: str
              returned: always
              sample: c-a8f9c52a97f7c66ff10d60228a59d8
            warning:
              description: What keeps the published content from the endpoints. Empty where nothing does.
              type: str
              returned: always
              sample: ""
        files:
          description: The last fetch of V(files).
          type: dict
          returned: when there was one
          contains: *fetch
        command:
          description: The last fetch of V(command).
          type: dict
          returned: when there was one
          contains: *fetch
    campaigns:
      description: The campaigns of which something is still to be done, each as in RV(campaigns).
      type: list
      elements: dict
      returned: always
      contains: *campaign
    in_flight:
      description: How many endpoints are being notified, or have not answered yet.
      type: int
      returned: always
      sample: 12
    max_in_flight:
      description: How many there may be at a time now.
      type: int
      returned: always
      sample: 250
    documents:
      description: What is published and signed.
      type: dict
      returned: always
      contains:
        tree:
          description: The tree.
          type: dict
          returned: when it was published
          contains: &document
            serial:
              description: Its serial, which only rises.
              type: int
              returned: always
              sample: 1795953600
            issued:
              description: When it was signed.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            expires:
              description: When it ends. Long before that it is signed anew.
              type: str
              returned: always
              sample: "2026-12-13T12:00:00Z"
        catalogue:
          description: The catalogue of components.
          type: dict
          returned: when it was published
          contains: *document
        shards:
          description: The parts of the registry, each for some of the endpoints.
          type: dict
          returned: always
          contains:
            count:
              description: How many are published.
              type: int
              returned: always
              sample: 256
            expires:
              description: When the first of them ends. V(null) where there is none.
              type: str
              returned: always
              sample: "2026-12-13T12:00:00Z"
        waiting:
          description: The names of the documents that the next publication brings.
          type: list
          elements: str
          returned: always
          sample: [shard-17]
    signing_keys:
      description: The keys that sign what is published.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The name of its file on the server.
          type: str
          returned: always
          sample: signing-1
        public:
          description: The public key.
          type: str
          returned: always
          sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz
        stage:
          description:
            - >-
              V(current) for the one that signs, V(next) for one that is announced, V(old) for one that is still
              trusted.
          type: str
          returned: always
          sample: current
        since:
          description: Since when that is so.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import fleet, specs


def main() -> None:
    fleet.fleet_info(AnsibleModule(argument_spec=specs.fleet_info(), supports_check_mode=True))


if __name__ == "__main__":
    main()
