# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An update server with its tree and registry, as the tests of the fleet have it."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._server.fleet.conftest import server, shards

__all__ = ("server", "shards")
