#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server
short_description: Make a host an update server, in one task
version_added: 1.0.0
description:
  - Converges everything that an update server needs - its program C(epp-server), the user of the same name as whom it
    works, its directories, its settings, its scheduled jobs, and its part of nginx's configuration. The module makes
    its keys and publishes the first configuration.
  - The module installs the program, and the role P(epp.autoupdate.server#role) installs the packages. Where the host
    lacks something, the module names it and changes nothing.
  - The whole configuration of nginx is tested before nginx reads it again. A configuration that nginx refuses is
    undone, and the task fails with nginx's message.
  - Where the program is installed already, the task asks it directly, without a file transfer. The result is the same.
  - Every error in the options is reported at once, each with its path, before anything is changed.
requirements:
  - ssh-keygen of OpenSSH 8.2 or later, and its ssh-keyscan to notify over SSH
  - nginx with its WebDAV module, unless O(web.server=none)
  - the Python package paramiko, to notify over SSH, or paho-mqtt, to notify over a message broker
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
      Where more than three files are new, they are listed with their number of lines; with C(-v) each is shown.
      Settings that may hold a secret are not shown. These are O(components.command), O(components.files.git), and URLs
      with a query. Of other URLs, host and file name are shown. Keys are never shown.
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
      - V(present) converges the server.
      - V(absent) removes everything of it, including its keys, the client tree and all that it has published. Running
        jobs are ended or waited for. Packages stay. Options that describe the server have no effect then.
    type: str
    choices:
      - present
      - absent
    default: present
  web:
    description:
      - How endpoints reach the server.
    type: dict
    suboptions:
      url:
        description:
          - The base URL of the server, below which a web server serves C(/var/lib/epp-autoupdate-public), such as
            V(https://updates.example.com) or V(http://updates.example.com:8080/epp). nginx listens on its port and
            answers to its host name.
          - Required if O(state=present).
        type: str
      server:
        description:
          - The web server to configure. With V(none), no web server is configured, and whichever there is has to serve
            C(/var/lib/epp-autoupdate-public). The same is true with O(installroot). The default is V(nginx).
        type: str
        choices:
          - nginx
          - none
      listen:
        description:
          - The addresses and ports on which nginx listens, such as V(8080) or V(192.0.2.1:80). By default it is the
            port of O(web.url) on all addresses.
        type: list
        elements: str
      tls_certificate:
        description:
          - The path on the host of a TLS certificate with its chain. With it nginx speaks TLS only, and does not
            redirect from plain HTTP.
        type: path
      tls_key:
        description:
          - The path on the host of the private key of O(web.tls_certificate).
        type: path
      max_connections:
        description:
          - The largest number of downloads that nginx serves at one time. It answers further ones with 503 and
            C(Retry-After). The default is the highest C(max_in_flight) of O(notify).
        type: int
      retry_after:
        description:
          - The number of seconds after which a client may ask again for a download that nginx did not serve, because of
            O(web.max_connections). The default is V(30).
        type: int
      verify_url:
        description:
          - With V(true), the server itself tries O(web.url). The task refuses a new URL whose host name the server
            can't resolve before it changes anything, and fails at its end if the server can't fetch its configuration
            there.
          - The default is V(true). V(false) is for a URL that only endpoints can reach.
        type: bool
      reports:
        description:
          - How reports of endpoints get to the server. With V(put), endpoints send them by HTTP PUT, which the web
            server has to take. With V(ask), it takes none, and the server asks endpoints by notices, once an hour those
            whose last report is older than 25 hours. The default is V(put).
          - V(ask) is for a web server that is not configured here, or a CDN, where no PUT can be allowed.
        type: str
        choices:
          - put
          - ask
  components:
    description:
      - The products whose components the server downloads and publishes. By default there are none.
    type: dict
    suboptions:
      clamav:
        description:
          - ClamAV databases, mirrored by cvdupdate. An empty mapping takes all defaults.
        type: dict
        suboptions:
          cvd:
            description:
              - The path of the program of cvdupdate. The default is V(/opt/epp-autoupdate/cvdupdate/bin/cvd), where the
                role P(epp.autoupdate.server#role) installs it.
            type: path
          mirror:
            description:
              - The URL from which the databases are downloaded. The default is V(https://database.clamav.net).
            type: str
          databases:
            description:
              - The official databases to mirror. The default is all of them.
            type: list
            elements: str
            choices:
              - main
              - daily
              - bytecode
          extra:
            description:
              - Databases of third parties, as a mapping of file names such as V(local.ndb) to URLs.
            type: dict
          nameserver:
            description:
              - The IP address of the name server to ask for the DNS record with the current versions. By default it is
                the host's own.
            type: str
          keep_cdiffs:
            description:
              - The number of incremental files of each database that stay published. The default is V(30).
            type: int
          requests_per_hour:
            description:
              - The number of requests for each file that the vendor allows in an hour. The default is V(10).
            type: int
          timeout:
            description:
              - The longest time of a download. The default is V(1h).
            type: str
      files:
        description:
          - Any set of files, from exactly one of O(components.files.directory), O(components.files.url) and
            O(components.files.git).
          - A set that declares no components is one component of kind pattern, named after the source.
        type: dict
        suboptions:
          directory:
            description:
              - A directory of the server that its user C(epp-server) can read.
            type: path
          url:
            description:
              - The URL of an archive (tar or zip).
            type: str
          git:
            description:
              - The URL or the path of a git repository.
            type: str
          branch:
            description:
              - The branch of the repository. By default it is the one that the repository has checked out.
            type: str
          requests_per_hour:
            description:
              - The number of requests that are allowed in an hour. The default is V(60).
            type: int
          timeout:
            description:
              - The longest time of a download. The default is V(1h).
            type: str
      command:
        description:
          - Any program that fills a directory. Each command is a list of arguments, which no shell reads.
        type: dict
        suboptions:
          fetch:
            description:
              - The command that fetches the components. C({directory}) in an argument stands for the directory to fill.
                Required.
            type: list
            elements: str
          version:
            description:
              - The command that prints the version of what was fetched. Without it the server counts versions itself.
            type: list
            elements: str
          requests_per_hour:
            description:
              - The number of runs that are allowed in an hour. The default is V(0), which is no limit.
            type: int
          timeout:
            description:
              - The longest time of a run. The default is V(1h).
            type: str
  notify:
    description:
      - How the server notifies endpoints of new versions.
    type: dict
    suboptions:
      notifier:
        description:
          - The way to endpoints. With V(mqtt) they listen to a message broker. V(local) is for a sandbox, whose
            endpoints are directories. The default is V(ssh).
        type: str
        choices:
          - ssh
          - mqtt
          - local
      user:
        description:
          - The user on endpoints as whom the server logs in. The default is V(epp-notify), an account that their
            converge makes.
        type: str
      key:
        description:
          - The path of a private SSH key that exists and that the user C(epp-server) can read. By default the server
            makes its own.
        type: path
      connect_timeout:
        description:
          - The longest time to wait for a connection. The default is V(10s).
        type: str
      timezone:
        description:
          - The time zone of O(notify.peak_hours) and O(notify.off_peak_hours), by its IANA name, or V(local) for the
            zone of the server's own clock. The default is V(UTC).
        type: str
      max_in_flight:
        description:
          - The largest number of endpoints that the server has notified and that have not answered yet. The default is
            V(250).
        type: int
      max_in_flight_peak:
        description:
          - The largest number of endpoints in flight during O(notify.peak_hours). The default is that of
            O(notify.max_in_flight).
        type: int
      max_in_flight_off_peak:
        description:
          - The largest number of endpoints in flight during O(notify.off_peak_hours). The default is that of
            O(notify.max_in_flight).
        type: int
      peak_hours:
        description:
          - The periods of the day with O(notify.max_in_flight_peak), such as V(08:00-18:00).
        type: list
        elements: str
      off_peak_hours:
        description:
          - The periods of the day with O(notify.max_in_flight_off_peak), such as V(22:00-06:00).
        type: list
        elements: str
      lease:
        description:
          - The longest time for which an endpoint that does not answer counts as in flight. The default is V(30m).
        type: str
      deadline:
        description:
          - The longest time of one notice, from the connection to the answer. The default is V(30m).
        type: str
      retry_delay:
        description:
          - The time after which the server tries again to notify an endpoint that it did not reach. The default is
            V(15m).
        type: str
      retries:
        description:
          - The number of times that the server tries again to notify an endpoint that it did not reach. The default is
            V(5).
        type: int
      offline_ttl:
        description:
          - The time for which the server keeps the notice of an offline endpoint whose policy has
            C(events.include_roaming_and_offline). The default is V(7d).
        type: str
      mqtt:
        description:
          - The message broker over which the server notifies with V(mqtt). It may be there beside another notifier.
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
              - The path of the file with the authorities of the broker's certificate. There is no way without TLS.
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
              - The user at the broker.
            type: str
          password_file:
            description:
              - The path of a file whose first line is the password.
            type: path
          run_time:
            description:
              - How long an update is reckoned with until twenty of them were measured. The default is V(1m).
            type: str
          endpoints:
            description:
              - How endpoints prove themselves to the broker, by paths on each of them of files that its owner puts
                there.
            type: dict
            suboptions:
              ca:
                description:
                  - The path of the file with the authorities of the broker's certificate. There is no way without
                    TLS. The default is that of the server.
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
  configuration:
    description:
      - How the server publishes the configuration of endpoints.
    type: dict
    suboptions:
      lifetime:
        description:
          - The time after which a published configuration expires. The server signs it anew in the second half of this
            time. The default is V(14d).
        type: str
      overlap:
        description:
          - In a rotation of keys, the time for which the next key is announced before it signs, and for which the old
            one is trusted afterwards. At least O(configuration.lifetime). The default is V(30d).
        type: str
  alarms:
    description:
      - What C(epp-server health) raises alarms for. A share is in percent of the registered endpoints, and an alarm is
        raised beyond it.
    type: dict
    suboptions:
      component_age:
        description:
          - By product, the age from which the newest published version is too old, and the time after which an endpoint
            must have what is published. Of a product that the server does not publish, the age from which what an
            endpoint has is too old, by the date that its newest component tells, whatever its updater says.
          - The keys are the names of products, such as C(clamav), C(files), C(defender) or one of your own. The
            default is V(3d) for C(clamav), and other products are never too old.
        type: dict
      silence:
        description:
          - The time after which an endpoint that the server has not heard of is silent. The default is V(2d).
        type: str
      silent_share:
        description:
          - The share of silent endpoints that is no alarm. The default is V(10).
        type: int
      failing_share:
        description:
          - The share of failing endpoints that is no alarm. The default is V(5).
        type: int
      refusing_share:
        description:
          - The share of endpoints that refuse their configuration that is no alarm. The default is V(0).
        type: int
      expiry:
        description:
          - The time before the expiry of a published document from which on there is an alarm. The default is V(2d).
        type: str
  metrics:
    description:
      - What the server publishes as metrics for Prometheus.
    type: dict
    suboptions:
      textfile_directory:
        description:
          - The directory of the textfile collector of the Prometheus node exporter. Where it exists, the server's
            metrics are there. The default is V(/var/lib/prometheus/node-exporter).
        type: path
      endpoints:
        description:
          - The highest number of endpoints that have a metric of their own, from V(0) to V(10000); endpoints that are
            current have none. The default is V(0).
        type: int
  rollout:
    description:
      - The rings by which the versions of a product reach endpoints, by product. A product without an entry has none,
        and each version is offered to all endpoints at once.
    type: dict
    suboptions:
      clamav:
        description:
          - The rings of ClamAV databases.
        type: dict
        suboptions: &product_rollout
          rings:
            description:
              - The rings in their order, the first to be offered a version first. The last one has all endpoints that
                no other ring has.
            type: list
            elements: dict
            required: true
            suboptions:
              name:
                description:
                  - The ring's name, of small letters, digits, C(-) and C(_). Its channel has the same.
                type: str
                required: true
              domains:
                description:
                  - Domains whose endpoints, and those of the domains below, are in the ring. The nearest domain counts.
                type: list
                elements: str
              endpoints:
                description:
                  - Names of endpoints that are in the ring, whatever their domain.
                type: list
                elements: str
              percent:
                description:
                  - The share of the endpoints that no ring names, from V(0.1) to V(100). It follows the ordinal of each
                    endpoint, so that nobody leaves a share that grows.
                type: float
              bake_time:
                description:
                  - The time for which enough endpoints of a ring must have been healthy with a version before the next
                    ring is offered it. By default that of the product.
                type: str
              success_threshold:
                description:
                  - The percentage of a ring that must be healthy with a version. By default that of the product.
                type: int
              failure_threshold:
                description:
                  - The failures beyond which the version is halted, as a count (V(3)) or as a percentage (V(5%)). By
                    default that of the product.
                type: str
              minimum_finished:
                description:
                  - The number of endpoints of a ring that must have succeeded or failed before a percentage counts. By
                    default that of the product.
                type: int
              silence:
                description:
                  - The time after which an endpoint of a ring that the server has not heard of is a failure. By default
                    that of the product.
                type: str
              deadline:
                description:
                  - The time by which a ring must have passed a version; it is halted then. By default that of the
                    product.
                type: str
          bake_time:
            description:
              - The time for which enough endpoints of a ring must have been healthy with a version before the next ring
                is offered it. The default is V(4h).
            type: str
          success_threshold:
            description:
              - The percentage of a ring that must be healthy with a version. The default is V(95).
            type: int
          failure_threshold:
            description:
              - The failures beyond which the version is halted, as a count (V(3)) or as a percentage (V(5%)). The
                default is V(5%).
            type: str
          minimum_finished:
            description:
              - The number of endpoints of a ring that must have succeeded or failed before a percentage counts. The
                default is V(1).
            type: int
          silence:
            description:
              - The time after which an endpoint of a ring that the server has not heard of is a failure. The default is
                V(26h).
            type: str
          deadline:
            description:
              - The time by which a ring must have passed a version; it is halted then. The default is V(7d).
            type: str
          promotion:
            description:
              - When a version may be offered to the next ring.
            type: dict
            suboptions:
              days:
                description:
                  - The days of the week; an empty list means all.
                type: list
                elements: str
                choices:
                  - monday
                  - tuesday
                  - wednesday
                  - thursday
                  - friday
                  - saturday
                  - sunday
              hours:
                description:
                  - The hours of the day, such as V(08:00-18:00); an empty list means all.
                type: list
                elements: str
              timezone:
                description:
                  - The time zone of days and hours. The default is V(UTC).
                type: str
          dry_run:
            description:
              - Whether everybody is offered the newest version at once, and decisions are recorded only. The default is
                V(false).
            type: bool
      command:
        description:
          - The rings of the components of a command.
        type: dict
        suboptions: *product_rollout
      files:
        description:
          - The rings of sets of files.
        type: dict
        suboptions: *product_rollout
  fetch:
    description:
      - When the server looks for new components.
    type: dict
    suboptions:
      every:
        description:
          - The time from one look to the next, in whole minutes from V(5m) to V(1d). The default is V(1h).
        type: str
      offset:
        description:
          - The time from the start of each interval to the look, where intervals are counted from midnight UTC. By
            default it follows from O(web.url), so that servers do not all ask a vendor at the same second.
        type: str
  probe_samples:
    description:
      - A directory on the server with samples for the probe of ClamAV that follows each update. Each file of its
        directory C(find) has to be found by the databases, and nothing may be found in those of C(clean).
      - The server publishes them, at most 64 files of at most 20 MiB each and 100 MiB in all. A name that ends with
        C(.base64) is that of a file in this encoding.
      - The user C(epp-server) has to be able to read it. By default there are none.
    type: path
  scheduler:
    description:
      - The scheduler that starts the server's jobs. The default V(auto) takes systemd where it runs, and cron
        elsewhere.
    type: str
    choices:
      - auto
      - systemd
      - cron
  require:
    description:
      - With V(true), the task fails where the host lacks something that the settings need. With V(false), RV(missing)
        names it and the task does not fail.
      - Nothing is changed in both cases. In check mode, RV(missing) names it beside all other changes.
    type: bool
    default: true
  use_variables:
    description:
      - Take options that are not given from the inventory, as the role P(epp.autoupdate.server#role) does. The name of
        an option's variable is C(autoupdate_server_) and the name of the option. The variables of O(web) are
        C(autoupdate_server_url), C(autoupdate_server_web) for O(web.server), C(autoupdate_server_listen) and so on.
      - O(require) is V(false) then, unless C(autoupdate_server_install) is V(false).
      - With C(become=true) the task becomes root only where that is needed. See
        O(epp.autoupdate.endpoint#module:use_variables).
    type: bool
    default: false
notes:
  - Needs root, and C(ssh-keygen) on the host. The SSH notifier needs C(ssh-keyscan) and the Python package paramiko.
seealso:
  - module: epp.autoupdate.endpoint
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Make this host the update server, with a mirror of ClamAV's databases
  epp.autoupdate.server:
    web:
      url: http://updates.example.com
    components:
      clamav: {}
  register: server

- name: Show what endpoints need to know of it
  ansible.builtin.debug:
    var: server.enrollment

- name: Publish the files of a directory, look for new ones every 15 minutes, notify 50 endpoints at a time
  epp.autoupdate.server:
    web:
      url: https://updates.example.com/epp
    components:
      files:
        directory: /srv/components
    fetch:
      every: 15m
    notify:
      max_in_flight: 50

- name: Take all settings from the variables of the inventory, as the role does
  epp.autoupdate.server:
    use_variables: true

- name: Remove every trace
  epp.autoupdate.server:
    state: absent
"""

RETURN = r"""
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
      sample: /etc/systemd/system/epp-server-fetch.timer
    action:
      description: The kind of change, V(create), V(modify) or V(remove).
      type: str
      returned: always
      sample: modify
  sample:
    - path: /etc/systemd/system/epp-server-fetch.timer
      action: modify
drift:
  description:
    - What was running or stopped against the settings and was put right, in words. For example a timer that somebody
      had stopped.
  returned: success
  type: list
  elements: str
  sample: []
missing:
  description:
    - The programs and packages that these settings need and the host lacks. Where it lacks any, nothing was changed.
  returned: success
  type: list
  elements: str
  sample: []
enrollment:
  description:
    - What endpoints need to know of the server. V(null) when it is removed, and in check mode before it has its keys.
  returned: success
  type: dict
  contains:
    url:
      description: The base URL of the server.
      type: str
      returned: always
      sample: https://updates.example.com
    signers:
      description: The public keys whose signatures count.
      type: list
      elements: str
      returned: always
      sample:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...
    notify_key:
      description: The public SSH key with which the server notifies. V(null) where it notifies over a message broker.
      type: str
      returned: always
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...
    notify_user:
      description: The user on endpoints as whom the server logs in.
      type: str
      returned: always
      sample: epp-notify
    broker:
      description: The message broker over which the server notifies.
      type: dict
      returned: when O(notify.notifier) is V(mqtt)
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

from ansible_collections.epp.autoupdate.plugins.module_utils._module import server, server_specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.quiet_module import QuietModule


def main() -> None:
    server.run(QuietModule(argument_spec=server_specs.server(), supports_check_mode=True))


if __name__ == "__main__":
    main()
