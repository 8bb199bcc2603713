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
  - Where the right version of the agent is installed already, the task asks it directly, which costs one command on the
    host and no file transfer. Elsewhere one more command installs the agent, or the module does, which holds it as
    well. The result is the same in all cases.
  - All options are checked on the control node, before the host is contacted. Every error is reported at once, each
    with its path, what was found, and what is allowed.
  - The task never overwrites a switch that the user of the endpoint may hold.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
  - epp.autoupdate._policy.effective
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: >-
      The policy and all other options are shown. Where more than three files are new, they are listed with their
      number of lines; with C(-v) each is shown. Where O(product=command), the file that holds O(command) is not shown.
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
      - V(absent) removes everything of this collection from it. Downloaded components stay, because the protection
        product uses them. The product's own updaters, which V(present) switches off, get their former state back.
        Options that describe the endpoint have no effect then.
    type: str
    choices:
      - present
      - absent
    default: present
  require:
    description:
      - With V(true), the task fails where the host lacks a program without which the product can't be updated, such as
        freshclam, and where the self-test that follows a converge finds an error. The endpoint is converged all the
        same.
      - With V(false), the task goes on, and RV(missing) and RV(errors) name them. In check mode it warns of them.
    type: bool
    default: true
  notify:
    description:
      - With V(true), the update server may notify the endpoint. The task fails where sshd would refuse the server's
        login, or where a notice could not get to root. The endpoint is converged all the same. In check mode the task
        warns instead. RV(obstacles) has the reasons.
      - With V(false), the endpoint gets no notices and relies on its own schedule, as without O(server.notify_key).
    type: bool
    default: true
  use_variables:
    description:
      - Take options that are not given from the inventory, as the role P(epp.autoupdate.endpoint#role) does. The name
        of an option's variable is C(autoupdate_) and the name of the option.
      - O(endpoint) is C(autoupdate_endpoint_name) then, or else C(inventory_hostname) or a name made of it (see
        P(epp.autoupdate.endpoint_name#filter)).
      - O(policy) is what C(autoupdate_policy), C(autoupdate_domain_policies) and C(autoupdate_endpoint_policy) make
        together. With O(server), the variables of policy, domain and ordinal go to the server's client tree instead.
      - For a large fleet this costs much less than one template for each option.
      - The update server is the host that C(autoupdate_server_host) names, or else the only host of the group
        C(autoupdate_servers). What it says to its endpoints comes from M(epp.autoupdate.client_tree) earlier in the
        run.
      - Where C(autoupdate_install) is V(true), M(ansible.builtin.package) first installs C(autoupdate_packages), which
        are those of the product by default. Not with O(state=absent) or an O(installroot).
      - With C(become=true) the task becomes root only where that is needed. It does not where C(autoupdate_become) is
        V(false), where O(installroot) is set, or where the login is root's already. Where C(ansible_become) is set, it
        alone decides.
    type: bool
    default: false
  endpoint:
    description:
      - The name by which the endpoint is known, usually C(inventory_hostname).
      - Required if O(state=present), unless O(use_variables) is set.
    type: str
  domain:
    description:
      - The endpoint's place in the client tree, a path such as V(emea/finance). The default is the empty string, which
        stands for the root.
      - The module does not resolve inheritance. It takes the O(policy) that is in force, which the filter
        P(epp.autoupdate.effective_policy#filter) computes.
    type: str
  ordinal:
    description:
      - The number of the endpoint among all that have the same component source, counted from 0 without gaps. It
        decides the slot of the endpoint in every window.
      - Without it, a hash of the endpoint's name decides. Slots are spread by chance then, and some get several
        endpoints while others get none.
    type: int
  product:
    description:
      - The protection product on the host. The default is V(files).
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
          - The names of the databases to keep current. The default is V(main), V(daily) and V(bytecode).
        type: list
        elements: str
      custom_urls:
        description:
          - The URLs of single databases of third parties. Output shows their hosts and files only, because a URL may
            hold a customer's key.
        type: list
        elements: str
      database_directory:
        description:
          - The directory of the databases. The default is V(/var/lib/clamav).
        type: path
      database_owner:
        description:
          - The user who owns the databases. The default is the user to whom the package gave the directory, such as
            V(clamav) or V(clamupdate).
        type: str
      clamd_config:
        description:
          - The configuration file of clamd, the scanning daemon, which tells how to reach it. The default is the first
            of V(/etc/clamav/clamd.conf), V(/etc/clamd.d/scan.conf) and V(/etc/clamd.conf) that the host has.
        type: path
  files:
    description:
      - Settings of the product V(files), any set of files that a manifest describes.
    type: dict
    suboptions:
      directory:
        description:
          - The directory into which the files are put. The default is V(/var/lib/epp-autoupdate/components).
        type: path
  command:
    description:
      - Settings of the product V(command), any updater with a command line. Each command is a list of arguments, which
        no shell reads.
    type: dict
    suboptions:
      update:
        description:
          - The command that updates the product. Required.
        type: list
        elements: str
      version:
        description:
          - The command that prints the installed version. It runs before and after each update. Required.
        type: list
        elements: str
      scan:
        description:
          - The command that scans. Without it the product does not scan.
        type: list
        elements: str
  scan_paths:
    description:
      - The directories that a scan looks at. The default is V(/home), V(/root), V(/tmp), V(/var/tmp), V(/srv) and
        V(/opt).
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
      - How the endpoint notices that it reaches its update server or source again. Durations such as V(90s) and V(5m).
    type: dict
    suboptions:
      probe:
        description:
          - The time from one look to the next. The default is V(5m).
        type: str
      jitter:
        description:
          - The time over which the updates of endpoints that return at once are spread. The default is V(2m).
        type: str
      wait:
        description:
          - The time for which the endpoint waits for a server that does not answer yet. The default is V(4m).
        type: str
  limits:
    description:
      - The time after which a run is ended and counts as failed. Durations such as V(45m) and V(6h).
    type: dict
    suboptions:
      update:
        description:
          - The longest time of an update. The default is V(30m).
        type: str
      scan:
        description:
          - The longest time of a scan. The default is V(6h).
        type: str
  textfile_directory:
    description:
      - The directory into which the endpoint's metrics are written for the textfile collector of the Prometheus node
        exporter, if it exists. The default is V(/var/lib/prometheus/node-exporter).
    type: path
  server:
    description:
      - The update server that manages this endpoint. Without it the endpoint is a standalone one.
      - A managed endpoint gets O(policy), O(domain) and O(ordinal) from the server's client tree, so they can't be
        given beside this option. The converge that enrolls the endpoint fetches and adopts its configuration, and fails
        where it can't. Later ones send no request, because the endpoint keeps its configuration current itself.
      - The module M(epp.autoupdate.server) returns it as RV(epp.autoupdate.server#module:enrollment), and the command
        C(epp-server enrollment) prints it on the server.
    type: dict
    suboptions:
      url:
        description:
          - The base URL of the server, C(http) or C(https). Required.
        type: str
      signers:
        description:
          - The public SSH keys (C(ssh-ed25519 AAAA...)) whose signatures the endpoint accepts on its first
            configuration, which names the keys from then on. A change of these keys resets trust, so that any serial is
            accepted again. Required.
        type: list
        elements: str
      notify_key:
        description:
          - The public SSH key with which the server notifies the endpoint. It gets one line in the authorized keys of
            C(notify_user), which lets it start an update and nothing else. Without it there is no such line.
        type: str
      notify_user:
        description:
          - The user as whom the server logs in. The default is V(epp-notify), an account that the converge makes,
            without a password and without a place where it may write. Any other name that no account of the host has is
            possible.
          - With V(root), the line is among the authorized keys of root and no account is made.
        type: str
notes:
  - The direct way to the agent needs a connection that can pass standard input to a command, such as C(ssh) and
    C(local). With others, the task transfers the module as usual.
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
server_unreachable:
  description: Whether the task failed because the endpoint's update server was not reached.
  returned: when it did, with O(use_variables)
  type: bool
  sample: true
packages:
  description: The packages that were given to the package manager, whether or not they were installed before.
  returned: where C(autoupdate_install) is set, with O(use_variables)
  type: list
  elements: str
  sample: [clamav, clamav-freshclam, clamav-daemon, clamdscan]
obstacles:
  description:
    - Why the update server could not notify this endpoint, in sentences, with the lines to add to sshd's configuration.
      Empty where it can, and where it should not.
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
    - The reasons why updates can't work although the endpoint was converged, in sentences. They come from the last
      self-test, which follows a converge that changed something, and from a look at the host. Check mode makes no test.
  returned: success
  type: list
  elements: str
  sample: []
adoption:
  description:
    - Those entries of RV(drift) that are about what the endpoint adopts from its update server, in words. Empty where
      that is in force, and on a standalone endpoint.
  returned: success
  type: list
  elements: str
  sample: ["the configuration is adopted: tree 18, shard 4, from https://updates.example.com"]
refusal:
  description:
    - Why the endpoint does not take what its update server publishes. V(null) where it adopts it, and on a standalone
      endpoint. The configuration that it adopted last stays in force. A converge asks the server again before it
      returns a refusal, and where the endpoint has had no answer of it for 26 hours.
  returned: success
  type: dict
  contains:
    result:
      description: >-
        The kind of refusal, such as V(rollback), V(bad_signature), V(expired) or V(not_registered), or V(unreachable).
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
  description: The changes in the order in which they were made, or would be made in check mode.
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
      description: The kind of change, V(create), V(modify) or V(remove).
      type: str
      returned: always
      sample: modify
  sample:
    - path: /etc/systemd/system/epp-update.timer
      action: modify
drift:
  description:
    - What was running or stopped against the policy and was put right, in words. For example a timer that somebody had
      stopped.
  returned: success
  type: list
  elements: str
  sample: []
next_run:
  description:
    - The instant of the next scheduled update in UTC. V(null) when none will run.
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

from ansible_collections.epp.autoupdate.plugins.module_utils._module import endpoint, specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.quiet_module import QuietModule


def main() -> None:
    endpoint.run(QuietModule(argument_spec=specs.endpoint(), supports_check_mode=True))


if __name__ == "__main__":
    main()
