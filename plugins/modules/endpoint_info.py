#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_info
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
  epp.autoupdate.endpoint_info:
  register: endpoint

- name: Refuse to go on with an endpoint that could not update
  ansible.builtin.assert:
    that: endpoint.status.last.schedule.result | default('current') in ['updated', 'current']
"""

RETURN = r"""
status:
  description:
    - The status document of the endpoint, as C(epp-agent status --json) prints it.
    - Instants are ISO 8601 in UTC. What is V(null) is not known, or is not there.
  returned: success
  type: dict
  contains:
    format:
      description: The number of the form that this document has.
      type: int
      returned: always
      sample: 1
    endpoint:
      description: The endpoint's name.
      type: str
      returned: always
      sample: n1
    domain:
      description: The path of its domain, empty directly below the root, and where there is none.
      type: str
      returned: always
      sample: emea/finance
    ordinal:
      description: Its number, by which it finds its second of the window. V(null) where its name stands for that.
      type: int
      returned: always
      sample: 0
    product:
      description: The protection product.
      type: str
      returned: always
      sample: clamav
    scheduler:
      description: What wakes the agent, V(systemd) or V(cron).
      type: str
      returned: always
      sample: systemd
    user_group:
      description: The group whose members may do what the privileges grant.
      type: str
      returned: always
      sample: epp-users
    policy:
      description: The policy in force, of which only those keys are there that mean something together.
      type: dict
      returned: always
      contains:
        events:
          description: What makes the endpoint update besides its schedule.
          type: dict
          returned: always
          contains:
            update_after_download:
              description: Whether a version that is new on the update server makes it update.
              type: bool
              returned: always
              sample: true
            include_roaming_and_offline:
              description: Whether the notice of that is kept for it while it is off.
              type: bool
              returned: always
              sample: false
            update_on_reconnect:
              description: Whether it updates when it comes back and has missed a version.
              type: bool
              returned: always
              sample: true
            scan_after_update:
              description: Whether an update by an event is followed by a scan.
              type: bool
              returned: always
              sample: false
        schedule:
          description: When scheduled updates run.
          type: dict
          returned: always
          contains:
            frequency:
              description: V(minutes), V(hours), V(daily) or V(weekly).
              type: str
              returned: always
              sample: daily
            interval:
              description: Every how many minutes or hours.
              type: int
              returned: if RV(status.policy.schedule.frequency) is V(minutes) or V(hours)
              sample: 4
            configuration_once_per_day:
              description: Whether the configuration is asked for once a day only.
              type: bool
              returned: if RV(status.policy.schedule.frequency) is V(minutes) or V(hours)
              sample: true
            start:
              description: When the window begins, as V(HH:MM).
              type: str
              returned: if RV(status.policy.schedule.frequency) is V(daily) or V(weekly)
              sample: "12:00"
            day:
              description: The day of the week.
              type: str
              returned: if RV(status.policy.schedule.frequency) is V(weekly)
              sample: monday
            window:
              description: How long the window is.
              type: str
              returned: if RV(status.policy.schedule.frequency) is V(daily) or V(weekly)
              sample: 2h
            timezone:
              description: The time zone of the window.
              type: str
              returned: always
              sample: UTC
            spread:
              description: How a fleet is spread over the window, V(even) or V(random).
              type: str
              returned: always
              sample: even
            initiator:
              description: Who keeps the instants, the V(endpoint) or the V(server).
              type: str
              returned: always
              sample: endpoint
        privileges:
          description: What users of the endpoint may do.
          type: dict
          returned: always
          contains:
            toggle_scheduled_update:
              description: Whether they may switch scheduled update on and off.
              type: bool
              returned: always
              sample: false
            scheduled_update:
              description: Whether scheduled update is on, as long as no user has switched it.
              type: bool
              returned: always
              sample: true
            update_now:
              description: Whether they may start an update.
              type: bool
              returned: always
              sample: true
            go_roaming:
              description: Whether they may switch roaming on and off.
              type: bool
              returned: always
              sample: false
            vendor_fallback:
              description: Whether the endpoint may fall back to the vendor's own source.
              type: bool
              returned: always
              sample: false
        components:
          description: What an update may change.
          type: dict
          returned: always
          contains:
            scope:
              description: V(patterns), V(engines) or V(all).
              type: str
              returned: always
              sample: patterns
        sources:
          description: Where components come from.
          type: dict
          returned: always
          contains:
            urls:
              description: The sources in order of preference. Empty where they are the product's own.
              type: list
              elements: str
              returned: always
              sample: ["https://updates.example.com/components/clamav"]
            proxy:
              description: The proxy on the way there. V(null) without one.
              type: str
              returned: always
              sample: http://proxy.example.com:3128
    serial:
      description:
        - >-
          The serial of the tree that was adopted from the update server last. V(null) before that, and without a
          server.
      type: int
      returned: always
      sample: 1795953600
    configuration:
      description: What was adopted from the update server, and what became of asking it. V(null) without a server.
      type: dict
      returned: always
      contains:
        server:
          description: The update server's URL.
          type: str
          returned: always
          sample: https://updates.example.com
        result:
          description:
            - >-
              What became of asking it last, such as V(adopted), V(unchanged), V(unreachable) or V(rollback). V(null)
              before that.
          type: str
          returned: always
          sample: unchanged
        reason:
          description: What there is to say about that, in one sentence.
          type: str
          returned: always
          sample: ""
        asked:
          description: When it was asked last. V(null) before that.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        adopted:
          description: When the configuration in force was adopted. V(null) where none was.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        tree_serial:
          description: The serial of the tree in force. V(null) where there is none.
          type: int
          returned: always
          sample: 1795953600
        shard_serial:
          description: The serial of the shard in force. V(null) where there is none.
          type: int
          returned: always
          sample: 1795953600
        expires:
          description: When the first of both ends. V(null) where there is none.
          type: str
          returned: always
          sample: "2026-12-13T12:00:00Z"
    switch:
      description: The user's own switch of scheduled update. V(null) while nobody has touched it.
      type: bool
      returned: always
      sample: true
    roaming:
      description: Whether the endpoint is roaming.
      type: bool
      returned: always
      sample: false
    scheduled_update:
      description: Whether scheduled updates run, by policy and switch.
      type: bool
      returned: always
      sample: true
    components:
      description: The installed components.
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
        built:
          description: When this version was made. V(null) where the product does not tell.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        age:
          description: How many seconds ago that was. V(null) where the product does not tell.
          type: int
          returned: always
          sample: 86400
    running:
      description: The update that is under way. V(null) without one.
      type: dict
      returned: always
      contains:
        trigger:
          description: Why it runs.
          type: str
          returned: always
          sample: schedule
        pid:
          description: The number of its process.
          type: int
          returned: always
          sample: 4711
        since:
          description: When it began.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
    last:
      description: What came of the last update of each trigger.
      type: dict
      returned: always
      contains:
        schedule:
          description: The last update that the schedule started.
          type: dict
          returned: when there was one
          contains: &run
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
            started:
              description: When it began.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            finished:
              description: When it ended.
              type: str
              returned: always
              sample: "2026-11-29T12:00:09Z"
            until:
              description:
                - >-
                  When it is V(cooling_down), the instant until which the source is left alone, otherwise V(null).
              type: str
              returned: always
              sample: "2026-11-29T13:00:00Z"
            changed:
              description: The names of the components whose version changed.
              type: list
              elements: str
              returned: always
              sample: [daily]
            joined:
              description:
                - >-
                  The trigger of the update that ran already and that this one joined. V(null) where it did the work
                  itself.
              type: str
              returned: always
              sample: manual
        reconnect:
          description: The last update of an endpoint that had come back.
          type: dict
          returned: when there was one
          contains: *run
        download:
          description: The last update that the update server's notice of a new version started.
          type: dict
          returned: when there was one
          contains: *run
        manual:
          description: The last update that somebody started.
          type: dict
          returned: when there was one
          contains: *run
    next_run:
      description: When the next scheduled update is due. V(null) when none will run.
      type: str
      returned: always
      sample: "2026-11-30T12:00:00Z"
    schedule_fault:
      description: Why the schedule has no instants, in one sentence. V(null) when it has.
      type: str
      returned: always
      sample: "schedule.timezone: Mars/Base_1 is not known here any more (tzdata)"
    selftest:
      description: Whether what an update needs works.
      type: dict
      returned: always
      contains:
        at:
          description: When that was tried last. V(null) if it never was.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        errors:
          description: What was found wrong then, or is seen now, each in one sentence.
          type: list
          elements: str
          returned: always
          sample: []
    scan:
      description: The scan of this endpoint.
      type: dict
      returned: always
      contains:
        due:
          description: Whether one was asked for and has not begun.
          type: bool
          returned: always
          sample: false
        last:
          description: The last one that ended. V(null) if there was none.
          type: dict
          returned: always
          contains:
            ok:
              description: Whether it went through.
              type: bool
              returned: always
              sample: true
            reason:
              description: Why it did not. Empty when it did.
              type: str
              returned: always
              sample: ""
            started:
              description: When it began.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            finished:
              description: When it ended.
              type: str
              returned: always
              sample: "2026-11-29T12:20:00Z"
            found:
              description: How many findings it had.
              type: int
              returned: always
              sample: 1
            findings:
              description: The first thousand of them.
              type: list
              elements: dict
              returned: always
              contains:
                path:
                  description: The file.
                  type: str
                  returned: always
                  sample: /home/user/eicar.com
                signature:
                  description: What was found in it.
                  type: str
                  returned: always
                  sample: Eicar-Signature
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import agent, specs


def main() -> None:
    agent.endpoint_info(AnsibleModule(argument_spec=specs.installroot(), supports_check_mode=True))


if __name__ == "__main__":
    main()
