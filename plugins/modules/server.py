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
  - Converges everything that an update server is made of - its program C(epp-server), the user of the same name as
    whom it works, its directories, its settings, its scheduled jobs, and its part of nginx's configuration. Its keys
    are made and the first configuration is published.
  - The module carries the program. Packages are not its affair, they are that of the role
    P(epp.autoupdate.server#role). Where the host lacks something, the module names it and changes nothing.
  - The whole of nginx's configuration is tested before nginx reads it anew. What nginx refuses is taken back, and the
    task fails with nginx's words.
  - Where the program is installed already, no module is brought to the host. The action asks the program, which does
    the same.
  - Every error in the options is reported at once, each with its path, before anything is changed.
requirements:
  - ssh-keygen of OpenSSH 8.2 or later, and its ssh-keyscan to notify over SSH
  - nginx, unless O(web.server=none)
  - the Python package paramiko, to notify over SSH
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
      Settings are shown, unless they hold what may be a secret - O(components.command), O(components.files.git), or a
      URL with a query; of other URLs, host and file are. Keys never are.
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
      - V(absent) removes every trace of it, including its keys, the client tree, and everything that it has published.
        Jobs under way are ended or waited for. The other options are not looked at, but for O(installroot).
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
          - The URL below which a web server serves C(/var/lib/epp-autoupdate-public), such as
            V(https://updates.example.com) or V(http://updates.example.com:8080/epp).
        type: str
      server:
        description:
          - The web server that is configured. V(none) leaves whatever there is alone; it has to serve
            C(/var/lib/epp-autoupdate-public) then. The default is V(nginx). In a directory that stands for a host
            (O(installroot)) none is.
        type: str
        choices:
          - nginx
          - none
      listen:
        description:
          - Where it listens, such as V(8080) or V(192.0.2.1:80). By default on the URL's port, on all addresses.
        type: list
        elements: str
      tls_certificate:
        description:
          - The path on the host of a certificate with its chain. The web server speaks TLS alone then. No plain
            listener redirects to it.
        type: path
      tls_key:
        description:
          - The path on the host of the certificate's key.
        type: path
      max_connections:
        description:
          - How many downloads are served at one time, whatever the reason. Others are answered 503 with
            C(Retry-After). The default is the highest C(max_in_flight) of O(notify).
        type: int
      retry_after:
        description:
          - After how many seconds who was turned away should come back. The default is V(30).
        type: int
      verify_url:
        description:
          - Whether the URL is tried from the server itself. A new one whose host the server can't look up is refused
            before anything is changed. The task fails where the configuration can't be fetched by it in the end.
          - The default is V(true). Set it to V(false) where endpoints alone can reach the server by it.
        type: bool
  components:
    description:
      - The products whose components the server downloads and publishes. None by default.
    type: dict
    suboptions:
      clamav:
        description:
          - ClamAV databases, mirrored by cvdupdate. An empty mapping takes all defaults.
        type: dict
        suboptions:
          cvd:
            description:
              - The program of cvdupdate. The default is V(/opt/epp-autoupdate/cvdupdate/bin/cvd), where the role
                P(epp.autoupdate.server#role) puts it.
            type: path
          mirror:
            description:
              - Where databases come from. The default is V(https://database.clamav.net).
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
              - Databases of others, file names such as V(local.ndb) and their URLs.
            type: dict
          nameserver:
            description:
              - The IP address of the name server that is asked for the record with the current versions. By default the
                host's own.
            type: str
          keep_cdiffs:
            description:
              - How many incremental files of each database stay published. The default is V(30).
            type: int
          requests_per_hour:
            description:
              - How many requests for each file the vendor allows in an hour. The default is V(10).
            type: int
          timeout:
            description:
              - How long a download may take. The default is V(1h).
            type: str
      files:
        description:
          - Any set of files, from exactly one of O(components.files.directory), O(components.files.url) and
            O(components.files.git).
          - Without any declaration all of it is one component of kind pattern, named after the source.
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
              - A git repository, by URL or path.
            type: str
          branch:
            description:
              - The branch of the repository. By default the one that it has checked out.
            type: str
          requests_per_hour:
            description:
              - How many requests an hour are allowed. The default is V(60).
            type: int
          timeout:
            description:
              - How long a download may take. The default is V(1h).
            type: str
      command:
        description:
          - Any program that fills a directory. Each command is a list of arguments; no shell reads it.
        type: dict
        suboptions:
          fetch:
            description:
              - The program and its arguments. C({directory}) stands for the directory to fill.
            type: list
            elements: str
          version:
            description:
              - Prints the version of what was fetched. Without it the server counts.
            type: list
            elements: str
          requests_per_hour:
            description:
              - How many runs an hour are allowed. The default is V(0), any number.
            type: int
          timeout:
            description:
              - How long each of them may take. The default is V(1h).
            type: str
  notify:
    description:
      - How endpoints are notified of new versions.
    type: dict
    suboptions:
      notifier:
        description:
          - The way to endpoints. V(local) is for a sandbox whose endpoints are directories. The default is V(ssh).
        type: str
        choices:
          - ssh
          - local
      user:
        description:
          - The user on endpoints. The default is V(epp-notify), an account that their converge makes.
        type: str
      key:
        description:
          - A private key that exists already and that the user C(epp-server) can read. By default the server makes its
            own.
        type: path
      connect_timeout:
        description:
          - How long to wait for a connection. The default is V(10s).
        type: str
      timezone:
        description:
          - The IANA zone of the hours below, or V(local). The default is V(UTC).
        type: str
      max_in_flight:
        description:
          - How many endpoints may be in flight at one time. The default is V(250).
        type: int
      max_in_flight_peak:
        description:
          - The same in O(notify.peak_hours). The default is that of O(notify.max_in_flight).
        type: int
      max_in_flight_off_peak:
        description:
          - The same in O(notify.off_peak_hours). The default is that of O(notify.max_in_flight).
        type: int
      peak_hours:
        description:
          - Hours such as V(08:00-18:00).
        type: list
        elements: str
      off_peak_hours:
        description:
          - Hours such as V(22:00-06:00).
        type: list
        elements: str
      lease:
        description:
          - How long an endpoint counts as in flight without an answer. The default is V(30m).
        type: str
      deadline:
        description:
          - How long one notice may take. The default is V(30m).
        type: str
      retry_delay:
        description:
          - When an endpoint that was not reached is tried again. The default is V(15m).
        type: str
      retries:
        description:
          - How often. The default is V(5).
        type: int
      offline_ttl:
        description:
          - How long the notice of an offline endpoint is kept where policy says so. The default is V(7d).
        type: str
  configuration:
    description:
      - How the configuration is published.
    type: dict
    suboptions:
      lifetime:
        description:
          - When what is published expires. It is signed anew in the second half of this time. The default is V(14d).
        type: str
      overlap:
        description:
          - When keys are rotated, how long the next key is announced before it signs, and the old one trusted after.
            At least O(configuration.lifetime). The default is V(30d).
        type: str
  fetch:
    description:
      - When the server looks for new components.
    type: dict
    suboptions:
      every:
        description:
          - How often, whole minutes from V(5m) to V(1d). The default is V(1h).
        type: str
      offset:
        description:
          - When in the interval, which is counted from midnight UTC. By default an instant that follows from the
            server's URL, so that not all servers ask a vendor at the same second.
        type: str
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
      - Whether to fail where the host lacks something that the settings need. With V(false) the result names it in
        RV(missing).
      - Nothing is changed in either case. In check mode the result names it, and all else that would change, too.
    type: bool
    default: true
  use_variables:
    description:
      - Take what is not given from the inventory, as the role P(epp.autoupdate.server#role) does. Each option has a
        variable whose name is C(autoupdate_server_) and the option's. Those of O(web) are called
        C(autoupdate_server_url), C(autoupdate_server_web), C(autoupdate_server_listen) and so on.
      - O(require) is V(false) then, unless C(autoupdate_server_install) is.
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
    var: server.enrolment

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

- name: As the variables of the inventory say, which is what the role does
  epp.autoupdate.server:
    use_variables: true

- name: Remove every trace
  epp.autoupdate.server:
    state: absent
"""

RETURN = r"""
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
      sample: /etc/systemd/system/epp-server-fetch.timer
    action:
      description: What happened to it, V(create), V(modify) or V(remove).
      type: str
      returned: always
      sample: modify
  sample:
    - path: /etc/systemd/system/epp-server-fetch.timer
      action: modify
drift:
  description:
    - What else was otherwise than it should be and was put right, in words. For example a timer that somebody had
      stopped.
  returned: success
  type: list
  elements: str
  sample: []
missing:
  description:
    - What the host lacks for these settings, programs and packages. Where it lacks anything, nothing was changed.
  returned: success
  type: list
  elements: str
  sample: []
enrolment:
  description:
    - What endpoints need to know of the server. V(null) when it is removed, and in check mode before it has its keys.
  returned: success
  type: dict
  contains:
    url:
      description: Where the server is.
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
      description: The public key by which the server notifies.
      type: str
      returned: always
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...
    notify_user:
      description: The user on endpoints for whom that key is.
      type: str
      returned: always
      sample: epp-notify
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server, specs


def main() -> None:
    server.run(AnsibleModule(argument_spec=specs.server(), supports_check_mode=True))


if __name__ == "__main__":
    main()
