# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit XML, which the common CI systems show: one test case for each host and kind of drift."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_LINE, shown
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.report import (
    Cause,
    HostReport,
    Report,
    ReportedFault,
    State,
    bounded,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._drift import COMPARISON, KINDS, Drift

_RUN = "run"
_OF_SERVERS = frozenset(("web server",))
_OF_ENDPOINTS = frozenset(("polkit rule", "sudo rule", "notify key", "notify account", "way in"))
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(report: Report) -> str:
    """The whole document; a host that was not compared has the one test case ``comparison``.

    Drift is a failure; a fault, and a host that should have been reached, an error; one that may be unreachable, or was
    not looked at because the run ended before, is skipped.
    """
    root = ET.Element("testsuites", name="epp.autoupdate.check", timestamp=report.started)
    _suite(root, _RUN, list(_of_run(report)))
    for host in report.hosts:
        _suite(root, host.name, list(_of_host(host)))
    _count(root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(root: ET.Element, name: str, cases: list[ET.Element]) -> None:
    suite = ET.SubElement(root, "testsuite", name=shown(name))
    for case in cases:
        case.set("classname", shown(name))
        suite.append(case)
    _count(suite)


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    for attribute, tag in _COUNTED.items():
        element.set(attribute, str(len(element.findall(f".//testcase/{tag}"))))


def _of_run(report: Report) -> Iterator[ET.Element]:
    """The policy of all hosts, if it was looked at, and the end of the run; what is a host's own is told there."""
    for name, cause in (("policy", Cause.POLICY), ("end", Cause.RUN)):
        faults = [fault for fault in report.faults if fault.cause is cause]
        if faults or cause is Cause.RUN or report.policy is not None:
            case = _case(name)
            if faults:
                _tell(case, "error", faults[0].text, [_line(one) for one in faults])
            yield case


def _line(fault: ReportedFault) -> str:
    place = f"{fault.file}:{fault.line}" if fault.line else fault.file
    return ": ".join(filter(None, (place, ", ".join(fault.hosts), fault.text)))


def _of_host(host: HostReport) -> Iterator[ET.Element]:
    comparison = _case(COMPARISON)
    if host.reason:
        skipped = host.allowed or host.state is State.NOT_COMPARED
        _tell(comparison, "skipped" if skipped else "error", f"{host.state.value}: {host.reason}", [host.reason])
    yield comparison
    if host.state not in (State.CLEAN, State.DRIFTED) and not host.drift:
        return
    by_kind: dict[str, list[Drift]] = {kind: [] for kind in _kinds(host)}
    for one in host.drift:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, found in by_kind.items():
        case = _case(kind)
        if found:
            _tell(case, "failure", "; ".join(one.sentence for one in found), list(_lines(found)))
        yield case


def _kinds(host: HostReport) -> Iterator[str]:
    """The kinds that such a host can have, so that a test case that fails has passed before, and will again."""
    strange = set() if "server" in host.roles else set(_OF_SERVERS)
    strange |= set() if "endpoint" in host.roles else set(_OF_ENDPOINTS)
    return (kind for kind in KINDS if kind not in (COMPARISON, *strange))


def _lines(found: list[Drift]) -> Iterator[str]:
    for one in found:
        yield one.sentence
        yield from (f"    {line}" for line in bounded(one.diff))


def _case(name: str) -> ET.Element:
    return ET.Element("testcase", name=shown(name))


def _tell(case: ET.Element, tag: str, message: str, lines: list[str]) -> None:
    told = ET.SubElement(case, tag, message=shown(message))
    told.text = "\n".join(shown(line, LONGEST_LINE) for line in lines)
