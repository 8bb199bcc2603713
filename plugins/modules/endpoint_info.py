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
  - Returns the status of the endpoint, which is its name, the policy in force, the user's switches, component versions,
    the last result of each trigger, the next scheduled update, and the last scan.
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

- name: Fail if the last scheduled update failed
  ansible.builtin.assert:
    that: endpoint.status.last.schedule.result | default('current') in ['updated', 'current']
"""

RETURN = r"""
status:
  description:
    - The status document of the endpoint, as C(epp-agent status --json) prints it.
    - Instants are ISO 8601 in UTC. V(null) stands for what is not known or does not exist.
  returned: success
  type: dict
  contains:
    format:
      description: The version of the format of this document.
      type: int
      returned: always
      sample: 1
    endpoint:
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
      description: Its ordinal, which decides its slot in the window. V(null) where a hash of its name does.
      type: int
      returned: always
      sample: 0
    product: &product
      description: The protection product.
      type: str
      returned: always
      sample: clamav
    scheduler:
      description: The scheduler that starts the agent, V(systemd) or V(cron).
      type: str
      returned: always
      sample: systemd
    user_group:
      description: The group whose members hold the privileges.
      type: str
      returned: always
      sample: epp-users
    policy: &policy
      description: The policy in force, without the keys that have no meaning with its frequency.
      type: dict
      returned: always
      contains:
        events:
          description: Events that start an update outside the schedule.
          type: dict
          returned: always
          contains:
            update_after_download:
              description: Whether the endpoint updates when the update server has a new version.
              type: bool
              returned: always
              sample: true
            include_roaming_and_offline:
              description: Whether the update server also notifies the endpoint when it is roaming or was offline.
              type: bool
              returned: always
              sample: false
            update_on_reconnect:
              description:
                - Whether the endpoint updates when it reaches its update server again and has missed a version.
              type: bool
              returned: always
              sample: true
            scan_after_update:
              description: Whether the endpoint scans after an update that an event started.
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
              description: The number of minutes or hours from one update to the next.
              type: int
              returned: if RV(status.policy.schedule.frequency) is V(minutes) or V(hours)
              sample: 4
            configuration_once_per_day:
              description: Whether the configuration is updated once a day only.
              type: bool
              returned: if RV(status.policy.schedule.frequency) is V(minutes) or V(hours)
              sample: true
            start:
              description: When the window starts, as V(HH:MM).
              type: str
              returned: if RV(status.policy.schedule.frequency) is V(daily) or V(weekly)
              sample: "12:00"
            day:
              description: The day of the week.
              type: str
              returned: if RV(status.policy.schedule.frequency) is V(weekly)
              sample: monday
            window:
              description: The length of the window, such as V(2h).
              type: str
              returned: if RV(status.policy.schedule.frequency) is V(daily) or V(weekly)
              sample: 2h
            timezone:
              description: The time zone of the window.
              type: str
              returned: always
              sample: UTC
            spread:
              description: How slots are spread over the window, V(even) or V(random).
              type: str
              returned: always
              sample: even
            initiator:
              description: Who starts scheduled updates, V(endpoint) or V(server).
              type: str
              returned: always
              sample: endpoint
            blackouts:
              description: The periods in which no update starts.
              type: list
              elements: dict
              returned: always
              contains:
                name:
                  description: What the period is called.
                  type: str
                  returned: if it has a name
                  sample: office hours
                days:
                  description: The days of the week on which it begins.
                  type: list
                  elements: str
                  returned: if it does not begin on every day
                  sample: [monday, friday]
                from:
                  description: When it begins.
                  type: str
                  returned: always
                  sample: "08:00"
                to:
                  description: When it ends.
                  type: str
                  returned: always
                  sample: "18:00"
                timezone:
                  description: The time zone of both.
                  type: str
                  returned: if it is not that of the schedule
                  sample: Europe/Berlin
            blackout_exceptions:
              description: What may start an update in a blackout.
              type: list
              elements: str
              returned: always
              sample: [rollback, expedite, update_now]
        privileges:
          description: What users may do without being root.
          type: dict
          returned: always
          contains:
            toggle_scheduled_update:
              description: Whether users may switch scheduled update on and off.
              type: bool
              returned: always
              sample: false
            scheduled_update:
              description: Whether scheduled update is on, as long as no user has switched it.
              type: bool
              returned: always
              sample: true
            update_now:
              description: Whether users may start an update.
              type: bool
              returned: always
              sample: true
            go_roaming:
              description: Whether users may switch roaming on and off.
              type: bool
              returned: always
              sample: false
            vendor_fallback:
              description: Whether the endpoint may fall back to the vendor's own source.
              type: bool
              returned: always
              sample: false
        components:
          description: Which components are updated.
          type: dict
          returned: always
          contains:
            scope:
              description: V(patterns), V(engines) or V(all).
              type: str
              returned: always
              sample: patterns
            engine_packages:
              description: Whether engines that are packages of the operating system are upgraded.
              type: bool
              returned: if they are
              sample: true
            engine_windows:
              description: The windows of the week in which they may be upgraded.
              type: list
              elements: dict
              returned: if there are any
              contains:
                name:
                  description: What the window is called.
                  type: str
                  returned: if it has a name
                  sample: sunday morning
                days:
                  description: The days of the week on which it begins.
                  type: list
                  elements: str
                  returned: if it does not begin on every day
                  sample: [sunday]
                from:
                  description: When it begins.
                  type: str
                  returned: always
                  sample: "02:00"
                to:
                  description: When it ends.
                  type: str
                  returned: always
                  sample: "05:00"
                timezone:
                  description: The time zone of both.
                  type: str
                  returned: if it is not that of the schedule
                  sample: Europe/Berlin
            engine_versions:
              description: The versions to which they may be upgraded. Without it, any that is offered.
              type: list
              elements: str
              returned: if there are any
              sample: ["1.4.3+dfsg-1~deb13u1"]
        sources:
          description: Where components come from.
          type: dict
          returned: always
          contains:
            urls:
              description: The sources in the order of preference. Empty where the product has its own.
              type: list
              elements: str
              returned: always
              sample: ["https://updates.example.com/components/clamav"]
            proxy:
              description: The proxy through which the sources are reached. V(null) without one.
              type: str
              returned: always
              sample: http://proxy.example.com:3128
    serial:
      description:
        - The serial of the tree that was last adopted from the update server. V(null) before that, and without a
          server.
      type: int
      returned: always
      sample: 1795953600
    configuration:
      description:
        - The configuration from the update server, and the result of the last request for it. V(null) without a server.
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
            - The result of the last request, such as V(adopted), V(unchanged), V(unreachable) or V(rollback). V(null)
              before the first one.
          type: str
          returned: always
          sample: unchanged
        reason:
          description: The reason for this result in one sentence.
          type: str
          returned: always
          sample: ""
        asked:
          description: The instant of the last request. V(null) before the first one.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        adopted:
          description: The instant at which the configuration in force was adopted. V(null) where there is none.
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
          description:
            - The expiry of the configuration in force, the earlier one of tree and shard. V(null) where there is none.
          type: str
          returned: always
          sample: "2026-12-13T12:00:00Z"
    switch:
      description: The user's switch of scheduled update. V(null) while no user has used it.
      type: bool
      returned: always
      sample: true
    roaming:
      description: Whether the endpoint is roaming.
      type: bool
      returned: always
      sample: false
    scheduled_update: &scheduled_update
      description: Whether scheduled updates run, as policy and the user's switch decide.
      type: bool
      returned: always
      sample: true
    components: &components
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
          description: The version, as the product writes it.
          type: str
          returned: always
          sample: "27001"
        built:
          description: The instant at which this version was made. V(null) where the product does not tell.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        age:
          description: The age of this version in seconds. V(null) where the product does not tell.
          type: int
          returned: always
          sample: 86400
        kind:
          description: V(engine) for an engine that is packages of the operating system.
          type: str
          returned: for such an engine, where policy lets its packages be upgraded
          sample: engine
    running: &running
      description: The running update. V(null) without one.
      type: dict
      returned: always
      contains:
        trigger:
          description: The trigger of the update.
          type: str
          returned: always
          sample: schedule
        pid:
          description: The id of its process.
          type: int
          returned: always
          sample: 4711
        since:
          description: The instant of its start.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
    last: &last
      description: The last update of each trigger.
      type: dict
      returned: always
      contains:
        schedule:
          description: The last update that the schedule started.
          type: dict
          returned: when there was one
          contains: &run
            result:
              description: Its result, such as V(updated), V(current), V(cooling_down) or V(failed).
              type: str
              returned: always
              sample: updated
            reason: &reason
              description: The reason for the result in one sentence. Empty where none is needed.
              type: str
              returned: always
              sample: ""
            started: &started
              description: The instant of its start.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            finished: &finished
              description: The instant of its end.
              type: str
              returned: always
              sample: "2026-11-29T12:00:09Z"
            until:
              description:
                - With V(cooling_down), the instant until which the endpoint sends the source no request, otherwise
                  V(null).
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
                - The trigger of the running update that this one joined. V(null) where it joined none.
              type: str
              returned: always
              sample: manual
            kind:
              description:
                - The kind of its reason. V(probe) where the probe of a version failed, and the versions before were put
                  back.
              type: str
              returned: when it is one of these kinds
              sample: probe
        reconnect:
          description: The last update that a restart or the return of the update server started.
          type: dict
          returned: when there was one
          contains: *run
        download:
          description: The last update that the update server's notice of a new version started.
          type: dict
          returned: when there was one
          contains: *run
        manual:
          description: The last update that a user or an administrator started.
          type: dict
          returned: when there was one
          contains: *run
    engine:
      description: The last upgrade of the packages of the engine.
      type: dict
      returned: if policy lets them be upgraded and there was one
      contains:
        result:
          description: Its result, such as V(updated), V(current), V(held), V(unreachable) or V(failed).
          type: str
          returned: always
          sample: updated
        kind:
          description: The kind of the reason, V(probe) where the probe has failed.
          type: str
          returned: if it is one that is counted
          sample: probe
        reason: *reason
        started: *started
        finished: *finished
        changed:
          description: The component C(engine), where its version changed.
          type: list
          elements: str
          returned: always
          sample: [engine]
        version:
          description: The version whose installation was begun last.
          type: str
          returned: if versions go through rings of the update server, and one was begun
          sample: 1.4.3+dfsg-1~deb13u1
        tried:
          description: The instant at which that was.
          type: str
          returned: if versions go through rings of the update server, and one was begun
          sample: "2026-11-29T02:14:00Z"
        outcome:
          description: How the upgrade ended that has begun that version, which need not be the last one.
          type: dict
          returned: if versions go through rings of the update server, and one was begun that has ended
          contains:
            result:
              description: Its result.
              type: str
              returned: always
              sample: failed
            kind:
              description: The kind of the reason, V(probe) where the probe has failed.
              type: str
              returned: if it is one that is counted
              sample: probe
            reason:
              description: Why, in words; empty for nothing to tell.
              type: str
              returned: always
              sample: "the probe of engine 1.4.4+dfsg-1 failed: clamd did not come back with the new engine"
    engine_stream:
      description: The distribution and architecture whose versions of packages go through rings of the update server.
      type: str
      returned: if policy lets packages be upgraded, and the product has rings
      sample: debian-13-x86_64
    probe: &probe
      description: The last probe, which follows each update that changed a component. V(null) before the first one.
      type: dict
      returned: always
      contains:
        product:
          description: The product.
          type: str
          returned: always
          sample: clamav
        versions:
          description: The versions that were probed, by component.
          type: dict
          returned: always
          sample: {daily: "27001", main: "62"}
        ok:
          description: Whether the protection worked with them.
          type: bool
          returned: always
          sample: true
        reason:
          description: What did not work, or was noticed, in one sentence.
          type: str
          returned: always
          sample: ""
        at:
          description: The instant of the probe.
          type: str
          returned: always
          sample: "2026-11-29T12:00:09Z"
    next_run: &next_run
      description: The instant of the next scheduled update. V(null) when none will run.
      type: str
      returned: always
      sample: "2026-11-30T12:00:00Z"
    schedule_fault: &schedule_fault
      description: The reason why no scheduled update can be computed, in one sentence. V(null) without such a fault.
      type: str
      returned: always
      sample: "schedule.timezone: Mars/Base_1 is not known here any more (tzdata)"
    blackout: &blackout
      description: The blackout that is in force, or the next one of the coming two weeks. V(null) without one.
      type: dict
      returned: always
      contains:
        name:
          description: Its name, or its times without one. Blackouts that follow each other without a gap are one.
          type: str
          returned: always
          sample: office hours
        start:
          description: The instant at which it begins.
          type: str
          returned: always
          sample: "2026-11-30T07:00:00Z"
        end:
          description: The instant from which updates may start again.
          type: str
          returned: always
          sample: "2026-11-30T17:00:00Z"
        swallowed:
          description: The windows before RV(status.next_run) of which blackouts leave nothing, by their local dates.
          type: list
          elements: str
          returned: always
          sample: ["2026-11-30"]
    selftest: &selftest
      description: The self-test of what an update needs.
      type: dict
      returned: always
      contains:
        at:
          description: The instant of the last self-test. V(null) before the first one.
          type: str
          returned: always
          sample: "2026-11-29T12:00:00Z"
        errors:
          description: The errors that the self-test found, and those that the host shows now, one sentence each.
          type: list
          elements: str
          returned: always
          sample: []
    scan: &scan
      description: The scan of this endpoint.
      type: dict
      returned: always
      contains:
        due:
          description: Whether a scan is due and has not begun.
          type: bool
          returned: always
          sample: false
        last:
          description: The last scan that ended. V(null) if there was none.
          type: dict
          returned: always
          contains:
            ok:
              description: Whether the scan was completed.
              type: bool
              returned: always
              sample: true
            reason:
              description: The reason why the scan was not completed. Empty when it was.
              type: str
              returned: always
              sample: ""
            started:
              description: The instant of its start.
              type: str
              returned: always
              sample: "2026-11-29T12:00:00Z"
            finished:
              description: The instant of its end.
              type: str
              returned: always
              sample: "2026-11-29T12:20:00Z"
            found:
              description: The number of findings.
              type: int
              returned: always
              sample: 1
            findings:
              description: The first 1000 findings.
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
                  description: The name of the signature that matched.
                  type: str
                  returned: always
                  sample: Eicar-Signature
    report:
      description: The newest report of the endpoint about itself, and whether the update server has taken it.
      type: dict
      returned: always
      contains:
        sequence:
          description: Its number, which only rises. V(null) before the first one.
          type: int
          returned: always
          sample: 1795953600
        occasion:
          description:
            - Its occasion, such as V(run), V(adoption), V(refusal), V(switch), V(roaming), V(converge), V(daily) or
              V(request). V(null) before the first one.
          type: str
          returned: always
          sample: run
        made:
          description: The instant at which it was made. V(null) before the first one.
          type: str
          returned: always
          sample: "2026-11-29T12:00:10Z"
        taken:
          description: The instant at which the update server last took a report. V(null) where it took none.
          type: str
          returned: always
          sample: "2026-11-29T12:00:10Z"
        waiting:
          description: Whether the newest report waits until the update server takes it.
          type: bool
          returned: always
          sample: false
        reason:
          description: The reason why it waits, or why none is made, in one sentence. Empty where all is well.
          type: str
          returned: always
          sample: ""
    products:
      description:
        - Of an endpoint with several products, a section for each, the first one's first. What is beside it is the
          endpoint's, or the first product's.
      type: list
      elements: dict
      returned: on an endpoint with several products
      contains:
        product: *product
        policy: *policy
        scheduled_update: *scheduled_update
        components: *components
        running: *running
        last: *last
        next_run: *next_run
        schedule_fault: *schedule_fault
        blackout: *blackout
        selftest: *selftest
        probe: *probe
        scan: *scan
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import agent, spec_parts


def main() -> None:
    agent.endpoint_info(AnsibleModule(argument_spec=spec_parts.installroot(), supports_check_mode=True))


if __name__ == "__main__":
    main()
