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
      - A directory on the host that stands for V(/), like O(ansible.builtin.dnf#module:installroot). An absolute path.
        The default is the running system itself.
      - It serves to build golden images and chroots, and to test without being root. Nothing is started or reloaded
        then.
    type: path
requirements:
  - Python 3.9 or later on the host, with its standard library only
"""

    SECTION = r"""
options:
  scope:
    description:
      - The node for which the values are set.
      - V(root) and V(domain) are nodes of the client tree, so the task runs on the update server. All domains and
        endpoints below a node inherit its values, key by key, unless a node between sets the key itself.
      - V(endpoint) with O(name) is one endpoint of the client tree. Without O(name) it is the host of the task, a
        standalone endpoint that M(epp.autoupdate.endpoint) has converged before.
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
      - The nodes to which the values of the root apply. Only with O(scope=root). The default is V(all).
      - With V(all), the values apply to all domains and endpoints that do not set them themselves.
      - With V(future_domains), existing domains and endpoints keep the values that they had. A domain that is created
        below the root from then on starts with the new values.
    type: str
    choices:
      - all
      - future_domains
notes:
  - The task changes only the keys that are given. It drops keys that have no meaning with a new C(frequency).
  - On an update server, endpoints adopt the values when they next fetch their configuration. No converge is needed.
  - Values of the inventory come back with the next run of M(epp.autoupdate.endpoint), or of the playbook
    C(epp.autoupdate.site). This concerns standalone endpoints, and nodes whose policy the inventory pins.
seealso:
  - module: epp.autoupdate.client_tree
  - module: epp.autoupdate.endpoint
  - module: epp.autoupdate.endpoint_info
"""

    SERVER_INSTALLROOT = r"""
options:
  installroot:
    description:
      - A directory on the host that stands for V(/), like O(ansible.builtin.dnf#module:installroot). An absolute path.
        The default is the running system itself.
    type: path
requirements:
  - Python 3.9 or later on the host, with its standard library only
  - The role P(epp.autoupdate.server#role) has been applied to the host
"""
