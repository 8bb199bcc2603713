# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of products, one form for all of them, made from their definitions.

``python3 tests/tools/product_pages.py`` writes them; a test holds those that are committed against this.
"""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = ROOT / "plugins" / "module_utils" / "_core" / "products" / "definitions"
SYSTEMD = "252"
"""The release of systemd that the exposures are of."""
PAGES = ROOT / "docs" / "docsite" / "rst"
_HEAD = """\
..
  Copyright: (c) 2026, epp.autoupdate contributors
  GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.epp.autoupdate.docsite.{name}:

"""
_PARTS = {
    "update": "Updates, one after the other until one does not end well:",
    "reload": "After a version has changed, to bring it into use; tried again until it succeeds:",
    "restore": "Brings the versions before back:",
    "probe": "Probe after an update:",
    "health": "Tells how the product is:",
    "scan": "Scan:",
}
_WORDS = {"run": "run for real", "documentation": "known from documentation alone, and never run"}
_WIDTH = 120


def page_name(product: str) -> str:
    """The name of a product's page."""
    return f"product_{product}"


def definitions() -> dict[str, dict[str, Any]]:
    """Every definition by the name of its product."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DEFINITIONS.glob("*.json"))}


@dataclass(frozen=True)
class Exposure:
    """What systemd-analyze says of the service that updates a product; above 3.0 ``why``."""

    value: float
    why: str = ""


def exposures() -> dict[str, Exposure]:
    """The exposure of each product's update service, as a test measures it."""
    raw = json.loads(Path(__file__).with_name("exposures.json").read_text(encoding="utf-8"))
    return {name: Exposure(**one) for name, one in raw.items()}


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    exposed = exposures()
    found = definitions().items()
    return {f"{page_name(name)}.rst": page(name, definition, exposed[name]) for name, definition in found}


def page(name: str, definition: dict[str, Any], exposure: Exposure) -> str:
    """The page of one product."""
    title = definition["title"]
    blocks = [
        f"{title}\n{'=' * len(title)}",
        *_paragraphs(definition["about"]),
        f".. code-block:: yaml\n\n    autoupdate_product: {name}",
        *_proof(definition),
        *_needs(definition, exposure),
        *_settings(definition),
        *_components(definition),
        *_commands(definition),
        *_beside(definition),
        *_sources(definition),
    ]
    return _HEAD.format(name=page_name(name)) + "\n\n".join(blocks) + "\n"


def _proof(definition: dict[str, Any]) -> Iterator[str]:
    yield _heading("What was run")
    proven = _WORDS[definition["proven"]]
    told = f"This definition is **{proven}**"
    yield from _paragraphs(f"{told}: {definition['proven_with']}." if "proven_with" in definition else f"{told}.")
    if definition["proven"] == "run":
        yield from _paragraphs(
            "A test in the lab brings it from one version to the next and drives its other results with the real "
            "program, in the unit that updates."
        )
    else:
        yield from _paragraphs(
            "Tests drive each declared exit code and each pattern with a program that stands for the product and "
            "prints what is documented."
        )
    yield "What nobody has seen:"
    yield _items(definition["unproven"])


def _needs(definition: dict[str, Any], exposure: Exposure) -> Iterator[str]:
    yield _heading("What it needs")
    rows = [("Systems", ", ".join(definition["platforms"]))]
    rows += [(f"Packages, {family}", _literals(names)) for family, names in definition.get("packages", {}).items()]
    least = definition.get("minimum_versions", {})
    rows += [("From version", ", ".join(f"{name} {version}" for name, version in least.items()))] if least else []
    writes = definition.get("writes", [])
    rows.append(("Written to by its programs", _literals(writes) if writes else "nothing beside our own files"))
    measured = f"{exposure.value:.1f} of 10 (``systemd-analyze security``, systemd {SYSTEMD})"
    rows.append(
        ("Exposure of the service that updates it", f"{measured}: {exposure.why}" if exposure.why else measured)
    )
    yield _table(("", ""), rows)


def _settings(definition: dict[str, Any]) -> Iterator[str]:
    settings = definition.get("settings", {})
    if not settings:
        return
    yield _heading("Settings")
    yield "Values of ``autoupdate_product_settings``, and their defaults:"
    yield _table(("Setting", "Default"), [(f"``{name}``", f"``{json.dumps(one)}``") for name, one in settings.items()])


def _components(definition: dict[str, Any]) -> Iterator[str]:
    yield _heading("What is read")
    rows = []
    values = {name: one for name, one in definition.get("settings", {}).items() if isinstance(one, str)}
    for name, one in definition["components"].items():
        source = _command(one["command"]) if "command" in one else one.get("file", "").format(**values)
        digests = [path.format(**values) for path in one.get("digest", [])]
        read = f"``{source}``" if source else f"SHA-256 of {_literals(digests)}"
        detail = one.get("json") or one.get("pattern", "")
        rows.append((f"``{name}``", one.get("kind", "pattern"), f"{read}, ``{detail}``" if detail else read))
    yield _table(("Component", "Kind", "Version"), rows)


def _commands(definition: dict[str, Any]) -> Iterator[str]:
    yield _heading("What is started")
    if not definition.get("update"):
        yield "Nothing updates it from here: the result of an update is ``skipped``, and versions are reported."
    for part, words in _PARTS.items():
        steps = definition.get(part, [])
        for index, step in enumerate(steps if isinstance(steps, list) else [steps]):
            if index == 0:
                yield words
            yield f".. code-block:: text\n\n    {_command(step['command'])}"
            yield from _step(step)


def _step(step: dict[str, Any]) -> Iterator[str]:
    facts = [f"as ``{step['user']}``"] if "user" in step else []
    facts += [f"for {step['timeout']} at most"] if "timeout" in step else []
    facts += ["where the program is installed"] if step.get("optional") else []
    if facts:
        yield f"It runs {', '.join(facts)}."
    rows = [(f"a line ``{one['pattern']}``{_codes(one)}", *_rule(one)) for one in step.get("outputs", [])]
    rows += [(f"exit code {code}", *_rule(one)) for code, one in step.get("exit_codes", {}).items()]
    rows += [(f"``{one['json']}`` is not as expected", *_rule(one)) for one in step.get("expect", [])]
    if rows:
        yield _table(("It tells", "That means", "Reason"), rows)


def _codes(rule: dict[str, Any]) -> str:
    codes = rule.get("exit_codes")
    return f" with exit code {', '.join(map(str, codes))}" if codes else ""


def _rule(rule: Any) -> tuple[str, str]:
    if isinstance(rule, str):
        return f"``{rule}``", ""
    wait = f" (for {rule['wait']})" if "wait" in rule else ""
    return f"``{rule.get('means', 'failed')}``{wait}", rule.get("reason", "")


def _beside(definition: dict[str, Any]) -> Iterator[str]:
    yield _heading("What else updates it")
    programs = [f"``{one['name']}``" for one in definition.get("vendor_updaters", [])]
    if programs:
        yield from _paragraphs(
            f"A converge finds what starts {' or '.join(programs)} beside the policy (units, lines of cron, scripts). "
            "What packages brought is switched off; what somebody wrote is named in a warning, and switched off with "
            "``autoupdate_takeover: true``. Both are given back with ``state: absent``."
        )
    yield from _paragraphs(definition["vendor_way"])


def _sources(definition: dict[str, Any]) -> Iterator[str]:
    yield _heading("Sources")
    yield _items(f"{one['url']} ({one['date']}): {one['says']}" for one in definition["pages"])


def _command(argv: list[str]) -> str:
    return " ".join(one if one.startswith("{") and one.endswith("}") else shlex.quote(one) for one in argv)


def _heading(text: str) -> str:
    return f"{text}\n{'-' * len(text)}"


def _literals(words: Iterable[str]) -> str:
    return ", ".join(f"``{one}``" for one in words)


def _paragraphs(text: str) -> Iterator[str]:
    yield textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _items(texts: Iterable[str]) -> str:
    wrap = textwrap.TextWrapper(
        width=_WIDTH, initial_indent="* ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrap.fill(text) for text in texts)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    header = "   :header-rows: 1\n" if any(heads) else ""
    lines = [f".. list-table::\n{header}"]
    for row in (heads, *rows) if any(heads) else rows:
        cells = [f" {cell}" if cell else "" for cell in row]
        lines.append(f"   * -{cells[0]}")
        lines += [f"     -{cell}" for cell in cells[1:]]
    return "\n".join(lines)


def write() -> None:
    """Write all pages."""
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
