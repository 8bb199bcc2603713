# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things lie on an endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from .._host import paths as shared

AGENT = "/usr/local/bin/epp-agent"

CONFIGURATION_DIRECTORY = shared.CONFIGURATION_DIRECTORY
DOCUMENT = CONFIGURATION_DIRECTORY + "/endpoint.json"
"""The whole normalized document; readable by root alone, since command lines and URLs may hold secrets."""

STATE_DIRECTORY = "/var/lib/epp-autoupdate"
STATE = STATE_DIRECTORY + "/state.json"
STATUS = STATE_DIRECTORY + "/status.json"
"""What every user may read."""

NOTICES = STATE_DIRECTORY + "/notices.json"
"""Which campaigns of the update server this endpoint has taken, and what it answered."""

ORDERS = STATE_DIRECTORY + "/orders.json"
"""Which orders of a message broker are still to be carried out, and what was refused (L3)."""

REPORT = STATE_DIRECTORY + "/report.json"
"""The newest report, signed, as the update server gets it."""
REPORT_RECORD = STATE_DIRECTORY + "/reporting.json"
"""What became of it."""

ADOPTED_DIRECTORY = STATE_DIRECTORY + "/configuration"
"""What was adopted from the update server; it is no more precious than what can be fetched again."""

SAMPLES = STATE_DIRECTORY + "/samples"
"""The samples of the probe that the update server publishes; for root alone, as some of them may be malign."""

CACHE_DIRECTORY = "/var/cache/epp-autoupdate"
"""Packages of the operating system that were fetched for the product's engine."""

RUNTIME_DIRECTORY = "/run/epp-autoupdate"
CONVERGE_LOCK = RUNTIME_DIRECTORY + "/converge.lock"
UPDATE_LOCK = RUNTIME_DIRECTORY + "/update.lock"
WAIT_LOCK = RUNTIME_DIRECTORY + "/wait.lock"
"""Held by the one run that waits for a scheduled slot; cron would start another waiter every hour."""
SCAN_LOCK = RUNTIME_DIRECTORY + "/scan.lock"
NOTICE_LOCK = RUNTIME_DIRECTORY + "/notice.lock"
"""Held by the one notice that is being carried out; another one waits for its answer."""
NOTICE_SOCKET = RUNTIME_DIRECTORY + "/notice.socket"
"""Where systemd waits for the notices that the update server's account hands over."""
ENGINE_LOCK = RUNTIME_DIRECTORY + "/engine.lock"
"""Held by the one process that upgrades the packages of the product's engine."""
SYNC_LOCK = RUNTIME_DIRECTORY + "/sync.lock"
"""Held by the one process that asks the update server for the configuration, or adopts one."""
STATE_LOCK = RUNTIME_DIRECTORY + "/state.lock"
STATUS_LOCK = RUNTIME_DIRECTORY + "/status.lock"
"""Held by the one process that publishes the status, from what it reads to what it writes."""
REPORT_LOCK = RUNTIME_DIRECTORY + "/report.lock"
"""Held by the one process that makes a report and sends it."""
REPORT_REQUEST = RUNTIME_DIRECTORY + "/report-requested"
"""The occasion of a report that is to be made."""
EMERGENCY_REPORT = RUNTIME_DIRECTORY + "/unsaved.json"
"""Where a run leaves its result when the state directory can't be written; the next run takes it over."""
TRIAL = RUNTIME_DIRECTORY + "/selftest.json"
"""Where a self-test leaves what it found, for the converge that asked for it."""

TURN_LOCK = RUNTIME_DIRECTORY + "/turn.lock"
"""Held by the one update of an endpoint with several products that has its turn."""

TEXTFILE_NAME = "epp_autoupdate.prom"
APT_PIN = "/etc/apt/preferences.d/epp-autoupdate.pref"
"""The pin on packages whose versions go through rings (see ``packages.pin``)."""

OF_PRODUCTS = "products"
"""The directory in which each further product of an endpoint has what the first one has beside it."""
PRODUCTS_DIRECTORY = f"{STATE_DIRECTORY}/{OF_PRODUCTS}"
"""That of their states, which lists the further products; what products that are data remember is there, too."""
_MEMORY = ".json"


def of_product(path: str, instance: str) -> str:
    """Where a further product (its ``instance``) has what the first one (an empty one) has at ``path``."""
    directory, _slash, name = path.rpartition("/")
    return f"{directory}/{OF_PRODUCTS}/{instance}/{name}" if instance else path


def state_directory(instance: str) -> str:
    """Where a further product has its state. It is made before all that the product has, and removed after it."""
    return f"{PRODUCTS_DIRECTORY}/{instance}"


def memory_of(product: str) -> str:
    """What a product that is data remembers between updates; the place of a product in the list is nothing to it."""
    return f"{PRODUCTS_DIRECTORY}/{product}{_MEMORY}"


def listed_instances(names: Iterable[str]) -> tuple[str, ...]:
    """The further products that have a state directory, by the names in ``PRODUCTS_DIRECTORY``."""
    return tuple(name for name in names if "." not in name)


def unit_of_product(unit: str, instance: str) -> str:
    """The unit by which a further product (its ``instance``) has what the first one (an empty one) has by ``unit``."""
    stem = min(unit.partition("@")[0], unit.partition(".")[0], key=len)
    return f"{stem}-{instance}{unit[len(stem) :]}" if instance else unit


def instances_in(units: Iterable[str]) -> tuple[str, ...]:
    """The instances that have a service for updates among the names of unit files."""
    begin, end = "epp-update-", "@.service"
    return tuple(name[len(begin) : -len(end)] for name in units if name.startswith(begin) and name.endswith(end))


def textfile_name(instance: str) -> str:
    """The metrics of an endpoint's first product, or of a further one."""
    stem, dot, suffix = TEXTFILE_NAME.partition(".")
    return f"{stem}_{instance}{dot}{suffix}" if instance else TEXTFILE_NAME
