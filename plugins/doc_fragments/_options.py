# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the endpoint's file system is, and where a section of policy is set."""

    DOCUMENTATION = r"""
options:
  installroot:
    description:
      - A directory on the host that stands for V(/), as O(ansible.builtin.dnf#module:installroot) does.
      - For golden images and chroots that are being built, for tests, and for trying things out without being root.
        Nothing is started or reloaded then.
      - Must be an absolute path. The default is the running system itself.
    type: path
requirements:
  - Python 3.9 or later on the host, with its standard library only
"""

    SECTION = r"""
options:
  scope:
    description:
      - Where the values are set.
      - V(root) and V(domain) are nodes of the client tree, so the task runs on the update server. All that is below a
        node inherits from it, key by key, unless a node between sets the key itself.
      - V(endpoint) with a O(name) is one endpoint of the client tree. Without a O(name) it is this very host, which
        must have been converged by M(epp.autoupdate.endpoint) before, and not for an update server.
    type: str
    choices:
      - root
      - domain
      - endpoint
    default: endpoint
  name:
    description:
      - The path of the domain, such as V(emea/finance), or the name of the endpoint on the update server.
      - Required if O(scope=domain). The root has no name.
    type: str
  apply_to:
    description:
      - For whom the values of the root are meant. Only if O(scope=root).
      - With V(all), which is the default, they are in force for all domains and endpoints that do not set them
        themselves.
      - With V(future_domains), what exists keeps what it had. Each domain that is made at the top of the tree from then
        on begins with the values.
    type: str
    choices:
      - all
      - future_domains
notes:
  - Only the keys that are given are changed. A key that the new O(ignore:frequency) makes meaningless is dropped.
  - On an update server, endpoints take the values over when they next fetch their configuration. Nothing has to be
    converged for that.
  - On a standalone endpoint, the values are set on the endpoint itself. If its inventory has other ones, the next run
    of M(epp.autoupdate.endpoint) or of the playbook C(epp.autoupdate.site) puts those back. The same is true of root
    and domains of an update server whose policy the inventory pins.
seealso:
  - module: epp.autoupdate.client_tree
  - module: epp.autoupdate.endpoint
  - module: epp.autoupdate.endpoint_info
"""

    SERVER_INSTALLROOT = r"""
options:
  installroot:
    description:
      - A directory on the host that stands for V(/), as O(ansible.builtin.dnf#module:installroot) does.
      - Must be an absolute path. The default is the running system itself.
    type: path
requirements:
  - Python 3.9 or later on the host, with its standard library only
  - The role P(epp.autoupdate.server#role) has been applied to the host
"""
