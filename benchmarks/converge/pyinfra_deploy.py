# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same deployment as a pyinfra deploy. pyinfra runs this file; the data come from the inventory beside it."""

from __future__ import annotations

import os

from pyinfra import host
from pyinfra.operations import files, systemd
from pyinfra.operations.util import any_changed

recipe = host.data.bench_recipe
sources = host.data.bench_sources

for directory in recipe["bench_directories"]:
    files.directory(
        name=directory["path"],
        path=directory["path"],
        user="root",
        group="root",
        mode=directory["mode"].lstrip("0"),
    )

written = [
    files.put(
        name=copy["path"],
        src=os.path.join(sources, copy["source"]),
        dest=copy["path"],
        user="root",
        group="root",
        mode=copy["mode"].lstrip("0"),
        create_remote_dir=False,
    )
    for copy in recipe["bench_copies"]
]
written += [
    files.template(
        name=template["path"],
        src=os.path.join(sources, template["source"]),
        dest=template["path"],
        user="root",
        group="root",
        mode=template["mode"].lstrip("0"),
        create_remote_dir=False,
        **host.data.bench_values,
    )
    for template in recipe["bench_templates"]
]

systemd.daemon_reload(name="Reload systemd", _if=any_changed(*written))

for timer in recipe["bench_enabled"]:
    systemd.service(
        name=timer,
        service=timer,
        running=True if timer in recipe["bench_started"] else None,
        enabled=True,
    )
