# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a policy: the one place where modules describe them.

The texts stand below options of different depth and in pages of roles, so they name other keys by C() and not by O().
``roles/endpoint/meta/argument_specs.yml`` has the same texts, because role specifications know no fragments;
``tests/unit/project/test_variables.py`` holds the two equal.
"""

from __future__ import annotations

import re
from textwrap import indent

_EVENTS = """\
update_after_download:
  description:
    - The endpoint updates as soon as the update server has downloaded a new component version.
    - Where it is set nowhere, V(true) applies.
  type: bool
include_roaming_and_offline:
  description:
    - The update server also notifies roaming endpoints, and offline ones as soon as they can be reached within the
      server's C(notify.offline_ttl), which is 7 days by default.
    - Only with C(update_after_download). Where it is set nowhere, V(false) applies.
  type: bool
update_on_reconnect:
  description:
    - The endpoint updates when it starts or reaches its update server again, and has missed a version. A roaming
      endpoint does not.
    - Where it is set nowhere, V(true) applies.
  type: bool
scan_after_update:
  description:
    - The endpoint scans after an update that an event started and that changed a component. It does not scan after
      scheduled updates, nor while it is roaming.
    - Where it is set nowhere, V(false) applies.
  type: bool
"""

_SCHEDULE = """\
frequency:
  description:
    - How often scheduled updates run. Where it is set nowhere, V(daily) applies.
  type: str
  choices:
    - minutes
    - hours
    - daily
    - weekly
interval:
  description:
    - The number of minutes (1 to 59) or hours (1 to 23) from one update to the next.
    - Only with C(frequency=minutes) and C(frequency=hours). Where it is set nowhere, V(1) applies.
  type: int
configuration_once_per_day:
  description:
    - With V(true), the endpoint updates components at every interval and its configuration once a day. With V(false),
      it updates both at every interval.
    - Only with C(frequency=minutes) and C(frequency=hours). Where it is set nowhere, V(true) applies.
  type: bool
start:
  description:
    - When the window starts, as V(HH:MM) of the 24 hour clock.
    - Write it in quotes, because YAML reads 12:00 without quotes as the number 720.
    - Only with C(frequency=daily) and C(frequency=weekly). Where it is set nowhere, V(12:00) applies.
  type: str
day:
  description:
    - The day of the week on which the window starts.
    - Only with C(frequency=weekly). Where it is set nowhere, V(monday) applies.
  type: str
  choices: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
window:
  description:
    - The length of the window, such as V(90m), V(2h) or V(1h30m), longer than nothing and shorter than a day
      (C(frequency=daily)) or a week (C(frequency=weekly)).
    - It is elapsed time, so the window has the same length on days on which clocks change.
    - Only with C(frequency=daily) and C(frequency=weekly). Where it is set nowhere, V(2h) applies.
  type: str
timezone:
  description:
    - The time zone of C(start) and C(day), by its IANA name such as V(Europe/Berlin), or V(local) for the zone of the
      endpoint's own clock.
    - Where it is set nowhere, V(UTC) applies.
  type: str
spread:
  description:
    - With V(even), each endpoint has its own slot in the window, the same in every occurrence, and the slot does not
      move when the fleet grows.
    - With V(random), each endpoint draws a new slot for each occurrence.
    - Where it is set nowhere, V(even) applies.
  type: str
  choices:
    - even
    - random
initiator:
  description:
    - With V(endpoint), the endpoint starts its scheduled update itself. With V(server), its update server notifies it
      at its slot, unless it is offline then. A standalone endpoint has no such server.
    - Where it is set nowhere, V(endpoint) applies.
  type: str
  choices:
    - endpoint
    - server
blackouts:
  description:
    - Periods in which no update starts, whatever its trigger. A window that they cut is planned in what remains of
      it.
    - The list is inherited as a whole, and an empty one clears it. Where it is set nowhere, there are none.
  type: list
  elements: dict
  suboptions:
    name:
      description:
        - What the period is called in results, in the status and in reports.
      type: str
    days:
      description:
        - The days of the week on which it begins. Without them it begins on every day. Only with times of the week.
      type: list
      elements: str
      choices: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
    from:
      description:
        - When the period begins. A time V(HH:MM) comes every week, V(2026-12-20T00:00) is a local time and
          V(2026-12-20T00:00:00Z) an instant in UTC. It has to be given, in quotes.
      type: str
    to:
      description:
        - When it ends, in the same form as C(from). A time of the week that is not later than C(from) is on the next
          day. It has to be given, in quotes.
      type: str
    timezone:
      description:
        - The time zone of C(from) and C(to), as in C(schedule.timezone), which applies without it.
      type: str
blackout_exceptions:
  description:
    - What may start an update in a blackout. V(rollback) takes a bad version back, V(expedite) brings a version that
      was expedited, V(update_now) is Update Now, by a user or by the update server.
    - Where it is set nowhere, all three may.
  type: list
  elements: str
  choices:
    - rollback
    - expedite
    - update_now
"""

_PRIVILEGES = """\
toggle_scheduled_update:
  description:
    - The user may switch scheduled update on and off. Where it is set nowhere, V(false) applies.
  type: bool
scheduled_update:
  description:
    - Scheduled update is on. Where C(toggle_scheduled_update) is granted, this holds until the user decides.
    - Where it is set nowhere, V(true) applies.
  type: bool
update_now:
  description:
    - The user may start an update at once. Where it is set nowhere, V(true) applies.
  type: bool
go_roaming:
  description:
    - The user may switch roaming on and off. Where it is set nowhere, V(false) applies.
  type: bool
vendor_fallback:
  description:
    - The endpoint may update from the vendor's own source when it reaches none of C(sources.urls).
    - Where it is set nowhere, V(false) applies.
  type: bool
"""


def _below(name: str, options: str) -> str:
    """The line ``name:`` with ``options`` below it."""
    return f"{name}:\n{indent(options, '  ')}"


def _section(name: str, keys: str, *description: str) -> str:
    """The section ``name`` of a policy."""
    texts = "".join(f"  - {text}\n" for text in description)
    return _below(name, f"description:\n{texts}type: dict\n{_below('suboptions', keys)}")


_POLICY = "".join(
    (
        _section("events", _EVENTS, "Events that start an update outside the schedule."),
        _section("schedule", _SCHEDULE, "When scheduled updates run."),
        _section(
            "privileges",
            _PRIVILEGES,
            "What users may do without being root.",
            "Users are the members of the group that O(epp.autoupdate.endpoint#module:user_group) names.",
        ),
        """\
components:
  description:
    - Which components are updated.
  type: dict
  suboptions:
    scope:
      description:
        - V(patterns) updates pattern files only, V(engines) pattern files and engines, V(all) programs as well.
        - Where it is set nowhere, V(patterns) applies.
      type: str
      choices:
        - patterns
        - engines
        - all
    engine_packages:
      description:
        - An engine that is a package of the operating system is upgraded through the package manager, as a run of its
          own. The product V(clamav) has such an engine, on Debian and what derives from it.
        - Only with C(scope) V(engines) or V(all), and with C(engine_windows). Where it is set nowhere, V(false)
          applies.
      type: bool
    engine_windows:
      description:
        - The windows of the week in which engine packages may be upgraded, each of an hour at least.
        - The list is inherited as a whole, and an empty one clears it.
      type: list
      elements: dict
      suboptions:
        name:
          description:
            - What the window is called in the status.
          type: str
        days:
          description:
            - The days of the week on which it begins. Without them it begins on every day.
          type: list
          elements: str
          choices: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
        from:
          description:
            - When it begins, V(HH:MM). It has to be given, in quotes.
          type: str
        to:
          description:
            - When it ends, V(HH:MM). A time that is not later than C(from) is on the next day. It has to be given, in
              quotes.
          type: str
        timezone:
          description:
            - The time zone of C(from) and C(to), as in C(schedule.timezone), which applies without it.
          type: str
    engine_versions:
      description:
        - The versions to which engine packages may be upgraded, as the package manager prints them. An empty list
          allows what the package sources of the endpoint offer.
        - The list is inherited as a whole.
      type: list
      elements: str
sources:
  description:
    - Where components come from.
  type: dict
  suboptions:
    urls:
      description:
        - The URLs of the component sources in the order of preference, C(http) or C(https), without user names and
          passwords.
        - Where it is set nowhere, a managed endpoint asks its update server, and a standalone one asks ClamAV's own
          network for the product V(clamav). For V(files) at least one is needed there.
      type: list
      elements: str
    proxy:
      description:
        - The proxy through which the endpoint reaches its sources, such as V(http://proxy.example.com:3128). By default
          there is none.
      type: str
products:
  description:
    - What single products have of their own, as a mapping of their names to any of C(events), C(schedule),
      C(components) and C(sources). Each key is inherited by itself. What is set for a product counts before what is
      set for all, wherever in the tree that is.
  type: dict
""",
    )
)


def _policy(description: str) -> str:
    """The option ``policy``, its keys under the anchor ``policy``."""
    keys = indent(_POLICY, "    ")
    return f"policy:\n{indent(description, '  ')}  type: dict\n  suboptions: &policy\n{keys}"


def _of_node(keys: str) -> str:
    """The ``keys`` of a section, and which of them a node is to inherit again."""
    names = ", ".join(re.findall(r"^(\w+):", keys, re.MULTILINE))
    return f"""\
options:
  inherit:
    description:
      - The keys to remove from the node, which then inherits them. Only on an update server.
    type: list
    elements: str
    choices: [{names}]
{indent(keys, "  ")}"""


class ModuleDocFragment:
    """One section for the module that sets it, and whole policies.

    The annotations keep ansible-test's yamllint away, which knows literals only and fails on a call.
    """

    EVENTS: str = _of_node(_EVENTS)
    SCHEDULE: str = _of_node(_SCHEDULE)
    PRIVILEGES: str = _of_node(_PRIVILEGES)

    EFFECTIVE: str = _below(
        "options",
        _policy("""\
description:
  - The policy that is in force on the endpoint, inherited values included. A key that is not given has the default that
    is named with it.
"""),
    )

    # All of ``endpoints`` is here because an alias has to stand in the document of its anchor.
    CLIENT_TREE: str = _below(
        "options",
        _policy("""\
description:
  - All the keys that the root sets. A key that the root has set before and that is not given is removed from it.
  - All domains and endpoints inherit them. M(epp.autoupdate.update_schedule), M(epp.autoupdate.update_events) and
    M(epp.autoupdate.update_privileges) change single keys.
""")
        + r"""
endpoints:
  description:
    - The endpoints to register.
  type: list
  elements: dict
  suboptions:
    name:
      description:
        - The identity of the endpoint, which is O(epp.autoupdate.endpoint#module:endpoint) of its own task.
      type: str
      required: true
    domain:
      description:
        - The path of its domain, such as V(emea/finance). A domain that does not exist is created. The empty string
          stands for the root, which is where new endpoints begin.
      type: str
    address:
      description:
        - Where the update server reaches it, as V(host), V(host:port) or V([IPv6]:port). An endpoint without an address
          is not notified.
        - In a sandbox, the directory that stands for the endpoint.
      type: str
    host_key:
      description:
        - The public SSH host key of the endpoint, such as V(ssh-ed25519 AAAA...). The update server does not notify a
          host that has another one.
      type: str
    ordinal:
      description:
        - The number of the endpoint among all that have the same C(source), counted from 0. It decides the slot of the
          endpoint in every window.
      type: int
    source:
      description:
        - The name of its update source. Ordinals are counted within a source, so that each one is loaded evenly. By
          default all endpoints have the same.
      type: str
    product:
      description:
        - What the endpoint updates. Together with C(databases) it tells the update server what the endpoint needs
          before its first report, so that a campaign reaches the endpoints that lack something.
      type: str
    databases:
      description:
        - The ClamAV databases that the endpoint keeps, such as V(daily). Databases of third parties go by their file
          names, signed ones without the suffix.
      type: list
      elements: str
    further:
      description:
        - The products that the endpoint has beside C(product). The update server takes the versions of these from its
          reports. An empty list stands for none.
      type: list
      elements: str
    policy:
      description:
        - All the keys that the endpoint sets itself. They come before all that it inherits.
      type: dict
      suboptions: *policy
""",
    )
