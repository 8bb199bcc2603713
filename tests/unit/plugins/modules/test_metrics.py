# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics that are written are those of the guide, with the units and labels that it says (R2)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import yaml
from ansible_collections.epp.autoupdate.plugins.module_utils import _core
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.sync_result import SyncResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.paths import TEXTFILE_NAME
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

from .conftest import Modules
from .test_documented import Held, statuses_of_a_managed_endpoint, statuses_of_a_standalone_endpoint

LIBRARY = Path(_core.__file__).parents[1]
GUIDES = LIBRARY.parents[1] / "docs/docsite/rst"
PREFIX = "epp_autoupdate_"
_ROW = re.compile(rf"^   \* - ``({PREFIX}\w+)``\n     - (.+)\n     - (.+)\n     - (.+)$", re.MULTILINE)
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")

Metric = tuple[str, frozenset[str], str]
"""Type and unit, labels, what it tells."""

UNITS: dict[str, Callable[[float], bool]] = {
    "gauge, 0 or 1": lambda value: value in (0, 1),
    "gauge, always 1": lambda value: value == 1,
    "gauge, Unix seconds": lambda value: abs(value - time.time()) < 400 * 86400,
    "gauge, a count": lambda value: value in range(1000),
    "gauge, a serial": lambda value: value == int(value) > 0,
}


def documented() -> dict[str, Metric]:
    """The table of the guide."""
    rows = _ROW.findall((GUIDES / "metrics.rst").read_text(encoding="utf-8"))
    return {name: (unit, frozenset(re.findall(r"``(\w+)``", labels)), text) for name, unit, labels, text in rows}


class Written:
    """All that was ever written into the textfile of an endpoint."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.labels: dict[str, set[frozenset[str]]] = {}
        self.values: dict[str, set[float]] = {}

    def take(self, root: Path) -> None:
        path = root / EndpointDocument("n1").textfile_directory.lstrip("/") / TEXTFILE_NAME
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                _hash, kind, name, rest = line.split(" ", 3)
                (self.types if kind == "TYPE" else self.texts)[name] = rest
                continue
            name, labels, value = _SAMPLE.fullmatch(line).groups()  # type: ignore[union-attr]
            names = re.findall(r'(\w+)="', labels or "")
            assert name in self.types
            self.labels.setdefault(name, set()).add(frozenset(names))
            self.values.setdefault(name, set()).add(float(value))


def with_collector(root: Path) -> Path:
    """A host on which node_exporter's directory exists."""
    (root / EndpointDocument("n1").textfile_directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return root


def test_the_metrics_are_those_of_the_guide(fleet: Modules, web: ScriptedServer) -> None:
    written, root = Written(), with_collector(fleet.root)
    for _status in statuses_of_a_standalone_endpoint(Held(fleet)):
        written.take(root)
    root = with_collector(fleet.managed_root)
    for _status in statuses_of_a_managed_endpoint(fleet, web):
        written.take(root)
    known = documented()
    assert set(written.types) == set(written.texts) == set(written.values) == set(known)
    assert written.texts == {name: text for name, (_unit, _labels, text) in known.items()}
    assert written.labels == {name: {labels} for name, (_unit, labels, _text) in known.items()}
    for name, (unit, _labels, _text) in known.items():
        assert (name, written.types[name]) == (name, unit.partition(",")[0])
        assert (name, [value for value in written.values[name] if not UNITS[unit](value)]) == (name, [])
        assert (name, name.endswith("_timestamp_seconds")) == (name, unit == "gauge, Unix seconds")


def test_one_file_writes_metrics_and_no_other() -> None:
    """Whoever else writes them is to be held against the guide, too."""
    sources = {path.relative_to(LIBRARY).as_posix(): path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")}
    writers = [name for name, text in sources.items() if re.search(r"# (HELP|TYPE) ", text)]
    assert writers == ["_endpoint/status/metrics.py"]


def names(guide: Path) -> Iterator[tuple[str, str]]:
    for name in re.findall(rf"\b{PREFIX}\w+", guide.read_text(encoding="utf-8")):
        yield guide.stem, name


def test_every_guide_speaks_of_metrics_that_there_are() -> None:
    told = [one for guide in GUIDES.glob("*.rst") for one in names(guide)]
    assert [one for one in told if one[1] not in documented()] == []


def test_the_words_of_labels_are_all_there() -> None:
    guide = (GUIDES / "metrics.rst").read_text(encoding="utf-8")
    assert [word.value for word in SyncResult if f"``{word.value}``" not in guide] == []
    (block,) = re.findall(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", guide)
    for rule in yaml.safe_load(block):
        (name,) = re.findall(rf"{PREFIX}\w+", rule["expr"])
        assert set(re.findall(r"(\w+)=~?\"", rule["expr"])) <= documented()[name][1]
