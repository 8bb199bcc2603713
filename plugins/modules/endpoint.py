#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint
short_description: Bring one endpoint under policy, in one task
version_added: 1.0.0
description:
  - Converges everything that an endpoint needs to update itself as its policy says - the agent C(epp-agent), its
    configuration, the scheduled tasks, and the rights of its users.
  - Where the right agent is installed already, the task goes straight to it, which costs one command on the host and no
    file transfer. Elsewhere one more command brings the agent, or the module itself does, which carries it too. The
    result is the same either way.
  - All options are checked on the control node, before the host is contacted. Every error is reported at once, each
    with its path, what was found, and what is allowed.
  - A switch that the user of the endpoint may hold is never overwritten.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: >-
      The policy and all other options are shown. Where more than three files are new, they are listed with their
      number of lines; with C(-v) each is shown. Where O(product=command), the file that holds O(command) is not.
  idempotent:
    support: full
  async:
    support: full
  platform:
    support: full
    platforms: linux
options:
  state:
    description:
      - V(present) converges the endpoint.
      - V(absent) removes every trace of this collection from it. The components that it downloaded stay, because the
        protection product uses them. The product's own updaters, which V(present) switches off, come back as they were.
        The other options are not looked at, but for O(installroot).
    type: str
    choices:
      - present
      - absent
    default: present
  require:
    description:
      - Whether the task fails on a host that lacks a program without which the product can't be updated, such as
        freshclam. It is converged all the same. With V(false), and in check mode, RV(missing) alone tells.
    type: bool
    default: true
  notify:
    description:
      - Whether the update server may notify this endpoint. With V(false) the endpoint asks for everything by itself, on
        its own schedule, as if O(server.notify_key) were not given.
      - With V(true) the task fails where sshd would not let the server in, or where a notice could not get to root. The
        endpoint is converged all the same. In check mode RV(obstacles) alone tells.
    type: bool
    default: true
  use_variables:
    description:
      - Take what is not given from the inventory, as the role P(epp.autoupdate.endpoint#role) does. Each option has a
        variable whose name is C(autoupdate_) and the option's.
      - O(endpoint) is C(autoupdate_endpoint_name) then, or else C(inventory_hostname) or a name made of it (see
        P(epp.autoupdate.endpoint_name#filter)), and O(policy) what C(autoupdate_policy),
        C(autoupdate_domain_policies) and C(autoupdate_endpoint_policy) make together. With O(server), the variables of
        policy, domain and ordinal are left to the server's client tree.
      - This costs a large fleet much less than one template for each option.
    type: bool
    default: false
  endpoint:
    description:
      - The endpoint's identity, usually C(inventory_hostname).
      - Required if O(state=present), unless O(use_variables) is set.
    type: str
  domain:
    description:
      - The endpoint's place in the client tree, a path such as V(emea/finance).
      - The default is the empty string, which is directly below the root.
      - The module does not resolve inheritance, it takes the O(policy) that is in force. Use the filter
        P(epp.autoupdate.effective_policy#filter) for that.
    type: str
  ordinal:
    description:
      - A small number of its own for each endpoint, counted from 0 without gaps. It decides the endpoint's instant
        in the window.
      - Without it, a hash of O(endpoint) is used. The fleet is then spread as by chance - some instants get several
        endpoints while others get none.
    type: int
  policy:
    description:
      - The policy that is in force on this endpoint. What is not given has the default that is named below.
    type: dict
    suboptions:
      events:
        description:
          - What makes an update run outside the schedule.
        type: dict
        suboptions:
          update_after_download:
            description:
              - Update as soon as the update server has a new component. The default is V(true).
            type: bool
          include_roaming_and_offline:
            description:
              - Reach roaming endpoints and those that are off, too, when they come back. Only with
                O(policy.events.update_after_download). The default is V(false).
            type: bool
          update_on_reconnect:
            description:
              - Update when the endpoint starts or gets its server back, and has missed a version. The default is
                V(true).
            type: bool
          scan_after_update:
            description:
              - Scan after an update that an event caused and that changed a component. The default is V(false).
            type: bool
      schedule:
        description:
          - When scheduled updates run. See M(epp.autoupdate.update_schedule) for the keys in full.
        type: dict
        suboptions:
          frequency:
            description:
              - How often. The default is V(daily).
            type: str
            choices:
              - minutes
              - hours
              - daily
              - weekly
          interval:
            description:
              - Every how many minutes (1 to 59) or hours (1 to 23). Only with those two frequencies. The default is
                V(1).
            type: int
          configuration_once_per_day:
            description:
              - Fetch the configuration once a day only, not at every interval. Only with V(minutes) and V(hours). The
                default is V(true).
            type: bool
          start:
            description:
              - When the window starts, V(HH:MM) of the 24 hour clock, in quotes. Only with V(daily) and V(weekly). The
                default is V(12:00).
            type: str
          day:
            description:
              - The day of the week. Only with V(weekly). The default is V(monday).
            type: str
            choices:
              - monday
              - tuesday
              - wednesday
              - thursday
              - friday
              - saturday
              - sunday
          window:
            description:
              - How long the window is, such as V(90m) or V(2h), shorter than the period. Only with V(daily) and
                V(weekly). The default is V(2h).
            type: str
          timezone:
            description:
              - An IANA zone, or V(local) for the host's own. The default is V(UTC).
            type: str
          spread:
            description:
              - V(even) gives each endpoint its own instant for good, V(random) a new one for each occurrence. The
                default is V(even).
            type: str
            choices:
              - even
              - random
          initiator:
            description:
              - Who starts the update at its instant. The default is V(endpoint).
            type: str
            choices:
              - endpoint
              - server
      privileges:
        description:
          - What the users in O(user_group) may do. See M(epp.autoupdate.update_privileges) for the keys in full.
        type: dict
        suboptions:
          toggle_scheduled_update:
            description:
              - The user may switch scheduled update on and off. The default is V(false).
            type: bool
          scheduled_update:
            description:
              - Scheduled update is on. The default is V(true).
            type: bool
          update_now:
            description:
              - The user may start an update at once. The default is V(true).
            type: bool
          go_roaming:
            description:
              - The user may switch roaming on and off. The default is V(false).
            type: bool
          vendor_fallback:
            description:
              - The endpoint may fall back to the vendor's own update source. The default is V(false).
            type: bool
      components:
        description:
          - Which components are updated.
        type: dict
        suboptions:
          scope:
            description:
              - Patterns only, patterns and engines, or all. The default is V(patterns).
            type: str
            choices:
              - patterns
              - engines
              - all
      sources:
        description:
          - Where components come from.
        type: dict
        suboptions:
          urls:
            description:
              - Addresses of the component source, in the order of preference, C(http) or C(https), without user names
                and passwords.
            type: list
            elements: str
          proxy:
            description:
              - The proxy to reach them through. By default none.
            type: str
  product:
    description:
      - Which protection product is on the host. The default is V(files).
    type: str
    choices:
      - clamav
      - files
      - command
  clamav:
    description:
      - Settings of the product V(clamav).
    type: dict
    suboptions:
      databases:
        description:
          - The databases to keep current, by name. The default is V(main), V(daily) and V(bytecode).
        type: list
        elements: str
      custom_urls:
        description:
          - Addresses of single further database files. Host and file are shown, a customer's key in them is not.
        type: list
        elements: str
      database_directory:
        description:
          - Where the databases are. The default is V(/var/lib/clamav).
        type: path
      database_owner:
        description:
          - Whose they are. The default is the user to whom the package gave the directory, such as V(clamav) or
            V(clamupdate).
        type: str
      clamd_config:
        description:
          - The configuration of the scanning daemon, by which it is found. The default is the one that the host has of
            V(/etc/clamav/clamd.conf), V(/etc/clamd.d/scan.conf) and V(/etc/clamd.conf).
        type: path
  files:
    description:
      - Settings of the product V(files), any set of files that a manifest describes.
    type: dict
    suboptions:
      directory:
        description:
          - Where the files are put. The default is V(/var/lib/epp-autoupdate/components).
        type: path
  command:
    description:
      - Settings of the product V(command), any updater with a command line. Each command is a list of arguments; no
        shell reads it.
    type: dict
    suboptions:
      update:
        description:
          - Updates the product.
        type: list
        elements: str
      version:
        description:
          - Prints the version that is installed. It is asked before and after an update.
        type: list
        elements: str
      scan:
        description:
          - Scans. Without it the product does not scan.
        type: list
        elements: str
  scan_paths:
    description:
      - What a scan looks at. The default is V(/home), V(/root), V(/tmp), V(/var/tmp), V(/srv) and V(/opt).
    type: list
    elements: path
  scheduler:
    description:
      - The scheduler that starts updates. The default V(auto) takes systemd where it runs, and cron elsewhere.
    type: str
    choices:
      - auto
      - systemd
      - cron
  user_group:
    description:
      - The group whose members hold the privileges. It need not exist. The default is V(epp-users).
    type: str
  reconnect:
    description:
      - How an endpoint notices that its server is back.
    type: dict
    suboptions:
      probe:
        description:
          - How often it looks. The default is V(5m).
        type: str
      jitter:
        description:
          - Over how long the updates of many that return at once are spread. The default is V(2m).
        type: str
      wait:
        description:
          - How long it waits for a server that does not answer yet. The default is V(4m).
        type: str
  limits:
    description:
      - How long things may take before they count as failed and are ended.
    type: dict
    suboptions:
      update:
        description:
          - An update. The default is V(30m).
        type: str
      scan:
        description:
          - A scan. The default is V(6h).
        type: str
  textfile_directory:
    description:
      - Where the status is put for the Prometheus node exporter, if the directory exists. The default is
        V(/var/lib/prometheus/node-exporter).
    type: path
  server:
    description:
      - The update server that manages this endpoint. Without it the endpoint is a standalone one.
      - A managed endpoint gets O(policy), O(domain) and O(ordinal) from the server's client tree, so they can't be
        given beside this option. The converge that enrols the endpoint fetches and adopts its configuration, and fails
        where it can't; later ones send no request, because the endpoint keeps itself up to date.
      - What the command C(epp-server enrolment) prints on the server.
    type: dict
    suboptions:
      url:
        description:
          - The server's base URL, C(http) or C(https).
          - Required with O(server).
        type: str
      signers:
        description:
          - Public keys of OpenSSH (C(ssh-ed25519 AAAA...)) by which the configuration may be signed until it names
            others. Other keys than before are a new beginning.
          - Required with O(server).
        type: list
        elements: str
      notify_key:
        description:
          - The public key by which the server notifies this endpoint. It gets one line in the file of keys of
            O(server.notify_user), which lets it start an update and nothing else. Without it there is no such line.
        type: str
      notify_user:
        description:
          - As whom the server logs in. The default is V(epp-notify), an account that the converge makes, without
            password and without a place where it may write. Any other name that no account of the host has will do.
          - With V(root) there is no such account, and the line is one of root's.
        type: str
notes:
  - The fast way needs a connection that can pass standard input to a command, such as C(ssh) and C(local). Others work
    the usual way.
seealso:
  - module: epp.autoupdate.preflight
  - module: epp.autoupdate.endpoint_info
  - plugin: epp.autoupdate.effective_policy
    plugin_type: filter
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Update components from our own server, every day between 02:00 and 04:00
  epp.autoupdate.endpoint:
    endpoint: "{{ inventory_hostname }}"
    ordinal: "{{ ansible_play_hosts_all.index(inventory_hostname) }}"
    product: clamav
    policy:
      schedule:
        frequency: daily
        start: "02:00"
        window: 2h
        timezone: local
      sources:
        urls:
          - http://components.example.com/clamav

- name: Keep a set of files current in a directory that stands for a host, every 15 minutes
  epp.autoupdate.endpoint:
    installroot: /tmp/sandbox/n1
    endpoint: n1
    product: files
    policy:
      schedule:
        frequency: minutes
        interval: 15
      sources:
        urls:
          - http://127.0.0.1:8080

- name: Let an update server manage the endpoint
  epp.autoupdate.endpoint:
    endpoint: "{{ inventory_hostname }}"
    product: clamav
    server:
      url: https://updates.example.com
      signers:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDpaQ2Wb0cNIEV1rYlUQm1NcrbDVUYTYbGCOZVDTYUNR
      notify_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVb1JmtyCJUNRbG8oQmXr1m1JcTQKXv0cTP8Z8qPyTh

- name: Remove every trace
  epp.autoupdate.endpoint:
    state: absent
"""

RETURN = r"""
obstacles:
  description:
    - Why the update server could not notify this endpoint, in sentences, with the lines to add to sshd's configuration.
      Empty where it can, and where it is not to.
  returned: success
  type: list
  elements: str
  sample: []
missing:
  description: The programs that the host lacks and without which the product can't be updated, by name or path.
  returned: success
  type: list
  elements: str
  sample: []
errors:
  description:
    - Why what was converged can't work all the same, in words. What the last self-test found, which follows a converge
      that changed something, and what a look at the host shows. In check mode no test is made.
  returned: success
  type: list
  elements: str
  sample: []
refusal:
  description:
    - Why the endpoint does not take what its update server publishes. V(null) where it does, and on a standalone one.
      What it adopted last stays in force. A converge asks the server again before it tells this.
  returned: success
  type: dict
  contains:
    result:
      description: The kind of refusal, such as V(rollback), V(bad_signature), V(expired) or V(not_registered).
      type: str
      returned: always
      sample: rollback
    reason:
      description: The reason in one sentence.
      type: str
      returned: always
      sample: "tree: its serial is 3, lower than 7, which was adopted"
  sample: null
changes:
  description: What was changed, or would be in check mode, in the order in which it was done.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path, without O(installroot).
      type: str
      returned: always
      sample: /etc/systemd/system/epp-update.timer
    action:
      description: What happened to it, V(create), V(modify) or V(remove).
      type: str
      returned: always
      sample: modify
  sample:
    - path: /etc/systemd/system/epp-update.timer
      action: modify
drift:
  description:
    - What ran, or did not run, otherwise than it should and was put right, in words. For example a timer that somebody
      had stopped.
  returned: success
  type: list
  elements: str
  sample: []
next_run:
  description:
    - When the next scheduled update is, in UTC. V(null) when none will run.
  returned: success
  type: str
  sample: "2026-11-23T02:41:07Z"
host_key:
  description:
    - The host's public SSH key of type ed25519, without its comment, by which an update server knows the host. V(null)
      where there is none.
  returned: success
  type: str
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKjz1lZ8qXr0Vh4S8vQe7c0v3ZbU0mC8eVtq0y2n7h1P
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import endpoint, specs


def main() -> None:
    endpoint.run(AnsibleModule(argument_spec=specs.endpoint(), supports_check_mode=True))


if __name__ == "__main__":
    main()
