# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the specifications of modules' options are made of."""

from __future__ import annotations

from typing import Any

Spec = dict[str, dict[str, Any]]
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def option(kind: str, **more: Any) -> dict[str, Any]:
    """An option of a type, such as ``str``."""
    return {"type": kind, **more}


def strings(**more: Any) -> dict[str, Any]:
    """A list of texts."""
    return option("list", elements="str", **more)


def group(**options: dict[str, Any]) -> dict[str, Any]:
    """A mapping with these keys."""
    return option("dict", options=options)


def installroot() -> Spec:
    """Where the host's file system begins."""
    return {"installroot": option("path")}
