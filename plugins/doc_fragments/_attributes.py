# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of this collection says about how it runs."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; each module states its own support of the first five."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
  async:
    description: Supports being used with the C(async) keyword.
  platform:
    description: Target operating systems that this module can work on.
"""

    ACTIONGROUP_ALL = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/epp.autoupdate.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - epp.autoupdate.all
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: Changes nothing, and returns the same in check mode.
  diff_mode:
    support: N/A
    details: Changes nothing.
  idempotent:
    support: full
    details: Changes nothing.
  async:
    support: full
"""
