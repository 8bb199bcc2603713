# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of products are what their definitions make (tests/tools/product_pages.py)."""

from __future__ import annotations

import re

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import SHIPPED
from ansible_collections.epp.autoupdate.tests.tools import product_pages

PAGES = product_pages.pages()


def test_each_product_has_a_page_and_no_other_is_left():
    committed = {path.name for path in product_pages.PAGES.glob("product_*.rst")}
    assert committed == set(PAGES) == {f"{product_pages.page_name(name)}.rst" for name in SHIPPED}


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_quotes_is_shown_as_it_is(name):
    """A literal neither begins nor ends with a space, and what looks like a link of Markdown is taken for one."""
    literals = re.findall(r"``(.+?)``", PAGES[name])
    assert [text for text in literals if text != text.strip() or "](" in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_its_definition_makes(name):
    committed = (product_pages.PAGES / name).read_text(encoding="utf-8")
    assert committed == PAGES[name], "run: python3 tests/tools/product_pages.py"
