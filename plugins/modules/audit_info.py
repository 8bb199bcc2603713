#!/usr/bin/python
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_info
short_description: Read and verify the audit of an update server
version_added: 1.0.0
description:
  - Returns what was decided on an update server, by whom, for what reason and by which evidence.
  - It also tells whether anybody has changed what was written down. The module runs on the update server and contacts
    no endpoint.
extends_documentation_fragment:
  - epp.autoupdate._attributes
  - epp.autoupdate._attributes.actiongroup_all
  - epp.autoupdate._options.server_installroot
  - epp.autoupdate._attributes.info
attributes:
  platform:
    support: full
    platforms: linux
options:
  version:
    description:
      - Only the entries about this version of a component, or that name it. All of them are returned then.
    type: str
  last:
    description:
      - The number of the newest entries to return without O(version). V(0) stands for all.
    type: int
    default: 20
seealso:
  - module: epp.autoupdate.fleet_info
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
- name: Read why a version was offered to the fleet
  epp.autoupdate.audit_info:
    version: "27555"
  delegate_to: updates.example.com
  become: true
  register: audit

- name: Fail where somebody has changed what was written down
  ansible.builtin.assert:
    that: audit.problems | length == 0
"""

RETURN = r"""
count:
  description: The number of all entries.
  returned: success
  type: int
  sample: 412
digest:
  description: The SHA-256 of the last entry that was signed. V(null) where none is, or the signature is not good.
  returned: success
  type: str
  sample: 5f0c3e8a1f2b4c6d8e9f00112233445566778899aabbccddeeff001122334455
problems:
  description: What is wrong with the audit. Empty where it is as it was written.
  returned: success
  type: list
  elements: dict
  contains:
    file:
      description: The name of the file in the directory of the audit. V(null) where it is about the audit as a whole.
      type: str
      returned: always
      sample: audit.jsonl
    line:
      description: The number of the line in its file, from 1. V(null) where it is about the audit as a whole.
      type: int
      returned: always
      sample: 5
    problem:
      description: What was found, in one sentence.
      type: str
      returned: always
      sample: "it is entry 6: entry 5 is missing here"
entries:
  description: The entries, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    sequence:
      description: The number of the entry, from 1.
      type: int
      returned: always
      sample: 3
    at:
      description: The instant at which it was written.
      type: str
      returned: always
      sample: "2026-11-29T12:00:00Z"
    kind:
      description: What was decided, such as V(published), V(policy_changed), V(halted) or V(aborted).
      type: str
      returned: always
      sample: policy_changed
    by:
      description: Who asked.
      type: dict
      returned: always
      sample: {user: alice}
    about:
      description: What it is about, such as a product, a version, a ring, or a node of the client tree.
      type: dict
      returned: always
      sample: {scope: domain, name: emea}
    reason:
      description: The reason that was given. Empty where none was.
      type: str
      returned: always
      sample: two of two canaries failed
    evidence:
      description: What it was decided by, a mapping whose keys depend on C(kind).
      type: raw
      returned: always
      sample: {reports: {updated: 12, failed: 0}, since: "2026-11-29T12:00:00Z"}
    previous:
      description: The SHA-256 of the entry before, of zeros alone for the first one.
      type: str
      returned: always
      sample: 5f0c3e8a1f2b4c6d8e9f00112233445566778899aabbccddeeff001122334455
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.epp.autoupdate.plugins.module_utils._module import audit, specs


def main() -> None:
    audit.audit_info(AnsibleModule(argument_spec=specs.audit_info(), supports_check_mode=True))


if __name__ == "__main__":
    main()
