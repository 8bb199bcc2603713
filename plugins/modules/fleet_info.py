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
  - Returns the registered endpoints with their last reports, the campaigns, the published versions, and the status of
    the server itself. The module runs on the update server and contacts no endpoint.
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
      - The parts to return. V(status) returns RV(published) as well.
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
      - Return only the endpoints of these names. Together with O(domains), the endpoints that either option selects.
      - Campaigns are not limited by this.
    type: list
    elements: str
  domains:
    description:
      - Return only the endpoints in these domains, such as V(emea/finance), and in the domains below them.
    type: list
    elements: str
  outdated:
    description:
      - Return only endpoints that lack something of what is published.
    type: bool
    default: false
  states:
    description:
      - Return only the endpoints in these states, see RV(endpoints[].state).
    type: list
    elements: str
    choices:
      - failing
      - refusing
      - silent
      - behind
      - never_seen
      - switched_off
      - roaming
      - current
  recent_campaigns:
    description:
      - The largest number of campaigns to return, the newest first.
    type: int
    default: 20
seealso:
  - module: epp.autoupdate.endpoint_info
  - module: epp.autoupdate.update_now
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: List the outdated endpoints of one domain
  epp.autoupdate.fleet_info:
    gather:
      - endpoints
    domains:
      - emea
    outdated: true
  delegate_to: updates.example.com
  register: behind

- name: List the endpoints that need somebody
  epp.autoupdate.fleet_info:
    gather:
      - endpoints
    states:
      - failing
      - refusing
      - silent
  delegate_to: updates.example.com
  register: broken

- name: Show the names of the outdated endpoints
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
      description: The path of its domain, empty for the root.
      type: str
      returned: always
      sample: emea/finance
    ordinal:
      description: The number of the endpoint among all of the same source.
      type: int
      returned: always
      sample: 0
    source:
      description: The name of its update source, empty for the default one.
      type: str
      returned: always
      sample: ""
    address:
      description: Where the server reaches the endpoint, empty for an endpoint that is not notified.
      type: str
      returned: always
      sample: 192.0.2.17
    pinned:
      description: Whether the server has the host key of the endpoint, without which it sends no notice over SSH.
      type: bool
      returned: always
      sample: true
    state:
      description:
        - The state of the endpoint. Of several that apply it is the one to be corrected first.
        - V(failing) for an endpoint that can't update or is not what it was converged to, V(refusing) for one that does
          not take the published configuration, V(silent) for one that the server has not heard of for a while,
          V(behind) for one that lacks something of what is published, V(never_seen) for one that was never heard of,
          V(switched_off) for one whose scheduled update is off, V(roaming), and V(current).
      type: str
      returned: always
      sample: failing
    reason:
      description: The reason for the state in one sentence. Empty where none is needed.
      type: str
      returned: always
      sample: failed; no space left on the file system of /var/lib/clamav
    since:
      description: The instant since which the endpoint is in its state. V(null) where it is not known.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    versions:
      description: The component versions of its last report, by product.
      type: dict
      returned: always
      sample: {clamav: {daily: "27001"}}
    reported:
      description: The instant of its last report. V(null) if it never reported.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    outdated:
      description: Whether the endpoint has reported and lacks something of what is published.
      type: bool
      returned: always
      sample: false
    notice:
      description: The delivery to the endpoint in its last campaign. V(null) if it was in none.
      type: dict
      returned: always
      contains:
        campaign:
          description: The id of that campaign.
          type: str
          returned: always
          sample: c-a8f9c52a97f7c66ff10d60228a59d8
        status:
          description: The status of the delivery, V(finished) when the endpoint has reported.
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
        changed:
          description: The instant of the last change of this delivery.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
campaigns:
  description: The newest campaigns, with the number of endpoints of each status and result.
  returned: if O(gather) has V(campaigns)
  type: list
  elements: dict
  contains: &campaign
    campaign:
      description: The id of the campaign.
      type: str
      returned: always
      sample: c-a8f9c52a97f7c66ff10d60228a59d8
    trigger:
      description: The trigger of the campaign, V(download), V(schedule) or V(manual).
      type: str
      returned: always
      sample: download
    product:
      description:
        - The product whose version the campaign announces. V(schedule) in campaigns of slots, and V(now) in those of
          Update Now.
      type: str
      returned: always
      sample: clamav
    version:
      description: The version that the campaign announces.
      type: str
      returned: always
      sample: daily=27001
    created:
      description: The instant of its start.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    open:
      description: Whether any of its deliveries is still open.
      type: bool
      returned: always
      sample: false
    statuses:
      description: The number of endpoints of each status.
      type: dict
      returned: always
      sample: {finished: 39, skipped: 1}
    results:
      description:
        - The number of endpoints of each result, such as V(updated), V(failed), V(refused) or V(not reached). Endpoints
          without a result are counted by their status.
      type: dict
      returned: always
      sample: {failed: 2, updated: 37, skipped: 1}
    failed:
      description: The number of endpoints whose update failed or reached no source.
      type: int
      returned: always
      sample: 2
    reason:
      description: The most frequent reason of failed updates. Empty where none failed.
      type: str
      returned: always
      sample: no space left on the file system of /var/lib/clamav
published:
  description: The published versions, by product and component.
  returned: if O(gather) has V(status)
  type: dict
  sample: {clamav: {daily: "27001"}}
status:
  description: The status of the server, as C(epp-server status --json) prints it, without what other values return.
  returned: if O(gather) has V(status)
  type: dict
  contains:
    version:
      description: The version of the program on the server.
      type: str
      returned: always
      sample: 1.0.0
    endpoints:
      description: The number of registered endpoints.
      type: int
      returned: always
      sample: 40
    domains:
      description: The number of domains.
      type: int
      returned: always
      sample: 3
    unpinned:
      description: The number of endpoints without a pinned host key.
      type: int
      returned: always
      sample: 1
    fetches:
      description: The last fetch of each product.
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
              description: The instant of its end.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            result:
              description: Its result, such as V(updated), V(current), V(cooling_down) or V(failed).
              type: str
              returned: always
              sample: updated
            reason:
              description: The reason for the result in one sentence. Empty where none is needed.
              type: str
              returned: always
              sample: ""
            until:
              description:
                - With V(cooling_down), the instant until which the server sends the source no request, otherwise
                  V(null).
              type: str
              returned: always
              sample: "2026-11-29T13:00:00Z"
            version:
              description: The published version. V(null) where none is published.
              type: str
              returned: always
              sample: daily=27001
            campaign:
              description: The id of the campaign that the fetch started. V(null) if it started none.
              type: str
              returned: always
              sample: c-a8f9c52a97f7c66ff10d60228a59d8
            warning:
              description: The reason why endpoints do not take what is published. Empty where they take it.
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
      description: The campaigns with open deliveries, each as in RV(campaigns).
      type: list
      elements: dict
      returned: always
      contains: *campaign
    reports:
      description: The signed reports that endpoints send by themselves.
      type: dict
      returned: always
      contains:
        endpoints:
          description: The number of endpoints of which a report was taken.
          type: int
          returned: always
          sample: 39
        newest:
          description: The instant at which the newest one was taken. V(null) where there is none.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        today:
          description:
            - The number of reports since midnight UTC, by what became of them. V(taken), or the code of the refusal.
          type: dict
          returned: always
          sample: {taken: 120, wrong_key: 3}
        refused:
          description:
            - The last refusals, at most 20, the newest first. A good report of an endpoint removes its refusals.
          type: list
          elements: dict
          returned: always
          contains:
            endpoint:
              description:
                - The name under which the report was sent. Empty for all names together that are not registered.
              type: str
              returned: always
              sample: n7
            code:
              description:
                - The reason as one word. V(too_large), V(malformed), V(unregistered), V(no_pinned_key), V(wrong_key),
                  V(bad_signature), V(wrong_purpose), V(other_endpoint) or V(replayed).
              type: str
              returned: always
              sample: wrong_key
            detail:
              description: The reason of the last one in one sentence.
              type: str
              returned: always
              sample: it is signed by another key than the pinned one
            count:
              description: The number of reports that were refused for this reason.
              type: int
              returned: always
              sample: 3
            first:
              description: The instant of the first of them.
              type: str
              returned: always
              sample: "2026-11-28T12:00:00Z"
            last:
              description: The instant of the last of them.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
    in_flight:
      description: The number of endpoints that have been notified and have not answered yet.
      type: int
      returned: always
      sample: 12
    max_in_flight:
      description: The largest number of endpoints that may be in flight at present, by the hour of the day.
      type: int
      returned: always
      sample: 250
    documents:
      description: The published, signed documents.
      type: dict
      returned: always
      contains:
        tree:
          description: The document of the client tree.
          type: dict
          returned: when it was published
          contains: &document
            serial:
              description: Its serial, which only rises.
              type: int
              returned: always
              sample: 1795953600
            issued:
              description: The instant of its signature.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            expires:
              description: The instant of its expiry, long before which it is signed anew.
              type: str
              returned: always
              sample: "2026-12-13T12:00:00Z"
        catalog:
          description: The catalog of components.
          type: dict
          returned: when it was published
          contains: *document
        shards:
          description: The documents with the values of single endpoints. Each shard holds some of the endpoints.
          type: dict
          returned: always
          contains:
            count:
              description: The number of published shards.
              type: int
              returned: always
              sample: 256
            expires:
              description: The earliest expiry of a shard. V(null) where there is none.
              type: str
              returned: always
              sample: "2026-12-13T12:00:00Z"
        waiting:
          description: The names of the documents that the next publication changes.
          type: list
          elements: str
          returned: always
          sample: [shard-17]
    signing_keys:
      description: The keys of the signatures.
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
            - V(current) for the key that signs, V(next) for one that is announced, V(old) for one that is still
              trusted.
          type: str
          returned: always
          sample: current
        since:
          description: The instant at which the key's present stage began.
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
