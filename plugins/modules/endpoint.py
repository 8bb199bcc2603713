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
      number of lines; with C(-v) each is shown. Where O(product=command), a product with a definition, or
      O(probe.command) is set, the file that holds command lines is not shown.
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
      - The protection product on the host - V(clamav), V(files), V(command), or the name of a definition. The default
        is V(files).
      - The collection brings definitions for V(bitdefender), V(crowdsec), V(defender), V(eset), V(fangfrisch),
        V(kaspersky), V(rkhunter), V(sophos), V(spamassassin), V(suricata), V(symantec), V(trellix), V(trend)
        and V(withsecure).
        O(product_definitions) adds others.
    type: str
  products:
    description:
      - The protection products on the host, where there are several. The first one has the names on the host that an
        endpoint with one product has. On an endpoint of an update server, what the server publishes may be at any
        place; its campaigns and notices are for the first product, its rings and holds for each.
      - Where it is not empty, it counts instead of O(product).
    type: list
    elements: str
  product_overrides:
    description:
      - What single products have of their own besides policy, as a mapping of their names to any of
        C(product_settings), C(held_versions), C(probe), C(restore), C(scan_paths), C(reconnect) and C(limits). The rest
        is the endpoint's.
      - With several products, O(product_settings), O(held_versions) and C(probe.command) are those of the
        first.
    type: dict
  updates:
    description:
      - With V(one_at_a_time), which is the default, of several products one is updated at a time, and the others wait
        for their turn. With V(independent), they do not wait.
    type: str
    choices:
      - one_at_a_time
      - independent
  product_definitions:
    description:
      - Definitions of products by name, each a mapping of the form that the guide C(own_product) describes - how to
        update, how versions are read, what exit codes and outputs mean, what is written, what else updates it.
      - One with the name of a definition of the collection replaces it.
    type: dict
  product_settings:
    description:
      - Values of the placeholders in the command lines of the product's definition, by name. The definition has a
        default for each.
    type: dict
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
      restore:
        description:
          - The command that brings the version before back, where a probe fails or an installed version is held.
        type: list
        elements: str
      offers:
        description:
          - The command that prints the version which an update would bring, as C(version) does. It runs while versions
            are held. Without it, an updater that could bring a held version is not started.
        type: list
        elements: str
  takeover:
    description:
      - Whether a converge switches off what administrators, or roles and templates of others, wrote to update the
        product beside the policy, such as lines of cron, timers, scripts and jobs of C(at). What packages brought is
        switched off in any case.
      - With V(false), it is left as it is. The task warns of each line, script and unit, and returns them as
        RV(other_updaters).
      - Everything is given back with V(false), and with O(state=absent), as far as nobody has changed it since then.
        The default is V(false).
    type: bool
  probe:
    description:
      - The probe that follows each update which changed a component. It tests that the protection works with what is
        new. Where it fails, the versions before are put back, and the update is V(failed).
    type: dict
    suboptions:
      enabled:
        description:
          - Whether updates are probed. The default is V(true). The product V(clamav) is probed without any further
            setting, the others where C(command) is set.
        type: bool
      find:
        description:
          - Files on the endpoint that the product V(clamav) must find. One whose name ends with V(.base64) is decoded
            first, so that nothing else on the host takes it for malware.
        type: list
        elements: path
      clean:
        description:
          - Files on the endpoint in which the product V(clamav) must find nothing. Those that do not exist are passed
            over. The default is V(/bin/sh), V(/bin/ls), V(/sbin/init) and V(/usr/bin/ssh).
        type: list
        elements: path
      command:
        description:
          - A command as a list of arguments, which no shell reads. It ends with exit code 0 where the protection works.
        type: list
        elements: str
      timeout:
        description:
          - The longest time of a probe, a duration such as V(90s). The default is V(5m).
        type: str
  restore:
    description:
      - The earlier versions that an endpoint keeps, to go back to without a download. For the products V(clamav) and
        V(files).
    type: dict
    suboptions:
      keep_versions:
        description:
          - How many are kept beside the one in use. The default is 2. With 0 there is no way back.
        type: int
      keep_space:
        description:
          - The space on disk that they may take together, such as V(500M) or V(2G). The last one is kept in any case,
            as long as there is room for an update. The default is V(1G).
        type: str
  held_versions:
    description:
      - The versions that this endpoint must not use. No update begins them, whatever starts it. Where one is installed,
        the next run puts the last good version back. The result is V(held), with the reason.
    type: list
    elements: dict
    suboptions:
      component:
        description:
          - The name of the component, such as V(daily). Without it, the version is that of a whole release of the
            product V(files), or that of any component of another product.
        type: str
      version:
        description:
          - The version, as the status of an endpoint shows it.
        type: str
        required: true
      reason:
        description:
          - Why it is held. The result of an update repeats it.
        type: str
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
      broker:
        description:
          - The message broker over which the server notifies the endpoint, which listens to it by C(mosquitto_sub).
            Then O(server.notify_key) is not needed.
        type: dict
        suboptions:
          hosts:
            description:
              - The names or addresses of the broker's hosts, which are tried in turn. Required.
            type: list
            elements: str
          port:
            description:
              - The port of the broker, for MQTT over TLS. The default is V(8883).
            type: int
          prefix:
            description:
              - The begin of all topics. The default is V(epp).
            type: str
          ca:
            description:
              - The path of the file with the authorities of the broker's certificate.
            type: path
          certificate:
            description:
              - The path of a certificate for the broker.
            type: path
          key:
            description:
              - The path of the key of the certificate.
            type: path
          user:
            description:
              - The user at the broker. By default the id of the endpoint there, where there is a password.
            type: str
          password_file:
            description:
              - The path of a file whose first line is the password.
            type: path
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

- name: Keep three products current, one of them once an hour
  epp.autoupdate.endpoint:
    endpoint: n1
    products:
      - clamav
      - suricata
      - rkhunter
    policy:
      schedule:
        frequency: daily
        start: "02:00"
      products:
        suricata:
          schedule:
            frequency: hours

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
other_updaters:
  description:
    - What else updates the product and was left as it is, one sentence for each line, script and unit. With
      O(takeover), only what does other things, too, and could not be switched off alone.
  returned: success
  type: list
  elements: str
  sample: ["line 3 of /etc/cron.d/av starts freshclam"]
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
