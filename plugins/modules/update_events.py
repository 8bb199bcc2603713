#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_events
short_description: Set what makes an endpoint update outside its schedule
version_added: 1.0.0
description:
  - Sets keys of the section C(events) of a policy. Keys that are not given stay as they are.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options
  - epp.autoupdate._options.section
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: full
  platform:
    support: full
    platforms: linux
options:
  update_after_download:
    description:
      - Update as soon as the update server has downloaded a new component version.
    type: bool
  include_roaming_and_offline:
    description:
      - Reach roaming endpoints and those that are off, too, when they come back within 7 days.
      - Only together with O(update_after_download).
    type: bool
  update_on_reconnect:
    description:
      - Update when the endpoint starts, or gets its server back, and has missed a version. Not while it is roaming.
    type: bool
  scan_after_update:
    description:
      - Scan after an update that an event caused and that really changed a component. Never after a scheduled update,
        and not while the endpoint is roaming.
    type: bool
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Look for malware after each update that the server announced
  epp.autoupdate.update_events:
    update_after_download: true
    scan_after_update: true
"""

RETURN = r"""
before:
  description: The section as it was.
  returned: success
  type: dict
  sample: {scan_after_update: false, update_after_download: true}
after:
  description: The section as it is now, or would be in check mode.
  returned: success
  type: dict
  sample: {scan_after_update: true, update_after_download: true}
changes:
  description: The files that were changed on the host for that. See M(epp.autoupdate.endpoint).
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path, without O(root).
      type: str
      returned: always
      sample: /etc/epp-autoupdate/endpoint.json
    action:
      description: What happened to it, V(create), V(modify) or V(remove).
      type: str
      returned: always
      sample: modify
corrections:
  description: What ran, or did not run, otherwise than it should and was put right, in words.
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
"""

from ansible_collections.epp.autoupdate.plugins.module_utils._module import sections


def main() -> None:
    sections.run("events")


if __name__ == "__main__":
    main()
