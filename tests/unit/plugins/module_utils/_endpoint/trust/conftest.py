# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed endpoint and what its server publishes, as the tests of the synchronization have them."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.sync.conftest import managed, server

__all__ = ("managed", "server")
