# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one program with files as its standard input and output, and print what it cost as JSON.

    python -IS meter.py INPUT OUTPUT PROGRAM [ARGUMENT...]

A process of its own, and a small one: until a child has replaced itself, it counts as large as who started it.
"""

import os
import sys
import time

given, out, argv = sys.argv[1], sys.argv[2], sys.argv[3:]
actions = [
    (os.POSIX_SPAWN_OPEN, 0, given, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
]
began = time.perf_counter()
child = os.posix_spawn(argv[0], argv, dict(os.environ), file_actions=actions)
_pid, status, used = os.wait4(child, 0)
wall = time.perf_counter() - began
peak = used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
figures = (status, wall, used.ru_utime + used.ru_stime, peak)
print("[" + ", ".join(map(str, figures)) + "]")
