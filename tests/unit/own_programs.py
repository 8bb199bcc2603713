# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs in the environment of the Python that runs the tests.

Under ansible-test there may be none of Ansible's: it lends its own to the tests, and not to what they start.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent


def needs(program: str) -> pytest.MarkDecorator:
    """Skip a test where the environment lacks a program that it starts."""
    return pytest.mark.skipif(
        not (PROGRAMS / program).exists(), reason=f"{program} is not installed beside the Python that runs this"
    )
