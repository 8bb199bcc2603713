# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics that an endpoint writes are those of the guide, with the units and labels that it says (R2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils import _core
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.sync_result import SyncResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.paths import TEXTFILE_NAME
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.verdict import Refusal
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._core.documented_metrics import (
    GUIDES,
    OF_SERVER,
    PREFIX,
    Written,
    documented,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

from .conftest import Modules
from .test_documented import Held, statuses_of_a_managed_endpoint, statuses_of_a_standalone_endpoint

LIBRARY = Path(_core.__file__).parents[1]
TEXTFILES = EndpointDocument("n1").textfile_directory.lstrip("/")


def with_collector(root: Path) -> Path:
    """A host on which node_exporter's directory exists."""
    (root / TEXTFILES).mkdir(parents=True, exist_ok=True)
    return root


def test_the_metrics_are_those_of_the_guide(fleet: Modules, web: ScriptedServer) -> None:
    written, root = Written(), with_collector(fleet.root)
    for _status in statuses_of_a_standalone_endpoint(Held(fleet)):
        written.take((root / TEXTFILES / TEXTFILE_NAME).read_text(encoding="utf-8"))
    root = with_collector(fleet.managed_root)
    for _status in statuses_of_a_managed_endpoint(fleet, web):
        written.take((root / TEXTFILES / TEXTFILE_NAME).read_text(encoding="utf-8"))
    written.compare({name: known for name, known in documented().items() if not name.startswith(OF_SERVER)})


def test_the_writers_of_metrics_are_those_that_are_held_against_the_guide() -> None:
    sources = {path.relative_to(LIBRARY).as_posix(): path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")}
    assert [name for name, text in sources.items() if re.search(r"# (HELP|TYPE) ", text)] == ["_core/exposition.py"]
    makers = {
        name.rpartition("/")[0] for name, text in sources.items() if re.search(r"import .*\b(Metric|single)\b", text)
    }
    assert makers == {"_endpoint/status", "_server/metrics"}


def names(guide: Path) -> Iterator[tuple[str, str]]:
    for name in re.findall(rf"\b{PREFIX}\w+", guide.read_text(encoding="utf-8")):
        yield guide.stem, name


def test_every_guide_speaks_of_metrics_that_there_are() -> None:
    files = {f"{PREFIX}server", f"{PREFIX}suricata", f"{PREFIX}dashboard"}
    told = [one for guide in GUIDES.glob("*.rst") for one in names(guide)]
    assert [one for one in told if one[1] not in documented() and one[1] not in files] == []


def test_the_words_of_labels_are_all_there() -> None:
    guide = (GUIDES / "metrics.rst").read_text(encoding="utf-8")
    words = [word.value for words in (SyncResult, Refusal) for word in words]
    assert [word for word in words if f"``{word}``" not in guide] == []
