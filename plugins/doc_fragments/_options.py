# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: options that several modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the endpoint's file system is, and where a section of policy is set."""

    DOCUMENTATION = r"""
options:
  root:
    description:
      - A directory on the host that stands for V(/), as in C(dpkg --root).
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
      - V(endpoint) is this very host, which must have been converged by M(epp.autoupdate.endpoint) before.
    type: str
    choices:
      - endpoint
    default: endpoint
notes:
  - Only the keys that are given are changed. A key that the new O(ignore:frequency) makes meaningless is dropped.
  - The values are set on the endpoint itself. If its inventory has other ones, the next run of
    M(epp.autoupdate.endpoint) or of the playbook C(epp.autoupdate.site) puts those back.
seealso:
  - module: epp.autoupdate.endpoint
  - module: epp.autoupdate.status_info
"""
