# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exposure of each product's update service is what its page says, and 3.0 or lower unless the page says why.

systemd-analyze measures the unit that a converge would write. Other releases of it than the one that the figures are of
weigh a few settings otherwise.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import SHIPPED
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Starters
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.desired import job_plan
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs import UPDATE_SERVICE
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.units import unit_texts
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.tools import product_pages

BUILT_IN = ("clamav", "files")
HIGHEST = 3.0
OTHER_RELEASES = 0.3
OFFLINE = 250
"""The first systemd whose systemd-analyze measures a file."""


def release() -> int:
    """The release of systemd-analyze, 0 where there is none."""
    if shutil.which("systemd-analyze") is None:
        return 0
    told = subprocess.run(["systemd-analyze", "--version"], check=True, capture_output=True, text=True).stdout
    return int(told.split()[1])


def update_service(product: str, directory: Path) -> Path:
    document: dict[str, Any] = {"format": 1, "endpoint": "n1", "scheduler": "systemd", "product": product}
    if product in SHIPPED:
        document["product_definitions"] = {product: product_pages.definitions()[product]}
    if product == "files":
        document["policy"] = {"sources": {"urls": ["http://127.0.0.1"]}}
    endpoint = Endpoint.of(LocalHost(str(directory)), EndpointDocument.from_dict(document))
    path = directory / f"{product}.service"
    path.write_text(unit_texts(job_plan(endpoint, Starters()))[UPDATE_SERVICE])
    return path


@pytest.mark.skipif(release() < OFFLINE, reason="systemd-analyze is not installed, or measures no files")
def test_each_figure_is_what_systemd_measures(tmp_path: Path) -> None:
    told = product_pages.exposures()
    units = [str(update_service(product, tmp_path)) for product in (*SHIPPED, *BUILT_IN)]
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", *units]
    output = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    measured = {
        name: float(value) for name, value in re.findall(r"exposure level for (\S+)\.service: ([\d.]+)", output)
    }
    assert measured.keys() == told.keys()
    may_differ = 0 if str(release()) == product_pages.SYSTEMD else OTHER_RELEASES
    wrong = {name: value for name, value in measured.items() if abs(value - told[name].value) > may_differ + 1e-9}
    assert not wrong, "write them into tests/tools/exposures.json, and run: python3 tests/tools/product_pages.py"
    highest = max(one.value for one in told.values() if not one.why)
    threshold = f"--threshold={round(10 * (highest + may_differ))}"
    good = [unit for unit in units if not told[Path(unit).stem].why]
    assert subprocess.run([*argv[:4], threshold, *good], check=False, capture_output=True).returncode == 0


def test_what_is_exposed_more_says_why() -> None:
    told = product_pages.exposures()
    assert told.keys() == {*SHIPPED, *BUILT_IN}
    assert [name for name, one in told.items() if one.value > HIGHEST and not one.why] == []


@pytest.mark.parametrize("product", BUILT_IN)
def test_the_guide_has_the_figures_of_the_products_that_are_built_in(product: str) -> None:
    guide = (product_pages.PAGES / "products.rst").read_text(encoding="utf-8")
    section = re.split(rf"\n{product}\n-+\n", guide)[1].partition("\n----")[0]
    assert f"{product_pages.exposures()[product].value:.1f} (``systemd-analyze security``" in section
