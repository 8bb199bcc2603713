# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""R5: whatever an endpoint, a source, a manifest or an archive says is data on every screen that it reaches."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import logging
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.filter.update_results import update_results
from ansible_collections.epp.autoupdate.plugins.module_utils import _core
from ansible_collections.epp.autoupdate.plugins.module_utils._core.exposition import _escaped
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import InvalidManifest, Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.reported import reported
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import data, shown
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.command import parse_versions
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.output import complain, write_document, write_lines
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import parse_response
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.archives import InvalidArchive, unpack
from hypothesis import example, given
from hypothesis import strategies as st

LIBRARY = Path(_core.__file__).parents[1]
HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\u202ecod.exe\u2066\u200b\ud800\x9b31m\u2028" + "A" * 600
ORDER = UpdateCommand("c-1", "1")
ACTING = "\x00\x07\x1b\x7f\x9b\r\n\u200b\u202e\u2066\u2028\ufeff\ud800aZ"
texts = st.text(max_size=700) | st.text(alphabet=ACTING, max_size=50)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["result", "reason", "campaign", "before", "after", "changed", "joined", "until", "name"])


def leaves(content: Any) -> list[str]:
    """Every text in plain data, keys included."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [text for pair in content.items() for one in pair for text in leaves(one)]
    return [text for one in content for text in leaves(one)] if isinstance(content, (list, tuple)) else []


def harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@given(texts, st.integers(1, 500))
@example(HOSTILE, 200)
def test_a_shown_text_is_one_printable_line_within_its_bound_and_stays_as_it_is(text: str, longest: int) -> None:
    once = shown(text, longest)
    assert once.isprintable()
    assert len(once) <= longest
    assert shown(once, longest) == once
    if text.isprintable() and len(text) <= longest:
        assert once == text


@given(plain)
@example({HOSTILE: [HOSTILE], "msg": HOSTILE})
def test_of_plain_data_every_text_is_harmless(content: Any) -> None:
    assert all(map(harmless, leaves(data(content))))


@given(st.dictionaries(KEYS | texts, plain, max_size=8))
@example({"result": HOSTILE, "reason": HOSTILE, "after": [{"name": HOSTILE, "version": HOSTILE}], HOSTILE: 1})
def test_an_endpoints_answer_is_known_keys_with_bounded_words(raw: dict[str, Any]) -> None:
    kept = reported(raw)
    assert all(text.isprintable() and len(text) <= 500 for text in leaves(kept))
    told = parse_response(ORDER, out=json.dumps(raw), err="", code=0)
    assert told.outcome.reason.isprintable()
    assert all(text.isprintable() for text in leaves(told.answer))


@given(texts, texts)
@example(HOSTILE, HOSTILE)
def test_an_agent_that_gives_no_answer_is_quoted_harmlessly(out: str, err: str) -> None:
    told = parse_response(ORDER, out=out, err=err, code=1)
    assert told.outcome.reason.isprintable()
    assert len(told.outcome.reason) <= 500


@given(texts)
@example(HOSTILE)
@example(json.dumps({HOSTILE: HOSTILE}))
def test_versions_that_an_updater_prints_are_words(output: str) -> None:
    for component in parse_versions(output):
        assert component.name.isprintable()
        assert component.version.isprintable()
        assert len(component.version) <= 200


@given(texts)
@example(HOSTILE)
def test_labels_of_metrics_hold_no_line_end(text: str) -> None:
    assert _escaped(text).isprintable()
    assert not re.search(r'(?<!\\)(?:\\\\)*"', _escaped(text))


@given(texts, plain)
@example(HOSTILE, {HOSTILE: HOSTILE})
def test_what_programs_write_acts_on_no_screen(text: str, content: Any) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        write_lines([text])
        complain("epp-server", ValueError(text))
        write_document(content)
    lines, document = out.getvalue().rstrip("\n").split("\n")[0], out.getvalue().rstrip("\n").split("\n")[-1]
    assert lines.isprintable()
    assert err.getvalue().rstrip("\n").isprintable()
    assert document.isascii()
    assert document.isprintable()
    assert json.dumps(json.loads(document)) == json.dumps(json.loads(json.dumps(content)))


@given(texts)
@example(HOSTILE)
def test_the_log_has_one_line_for_one_message(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        LocalHost(root, program="epp-test").log(logging.INFO, text)
        written = Path(root, "var/log/epp-test.log").read_text(encoding="utf-8")
    assert written.count("\n") == 1
    assert written.rstrip("\n").isprintable()


@given(texts, texts)
@example(HOSTILE, HOSTILE)
def test_the_results_of_an_update_are_harmless_lines(name: str, why: str) -> None:
    result = {"result": "failed", "reason": why, "changed": False, "before": [], "after": []}
    assert all(line.isprintable() for line in update_results({"n1": {**result, "msg": why}, name or "n2": result}))


def test_a_manifest_is_refused_in_harmless_words() -> None:
    file = {"component": HOSTILE, "version": HOSTILE, "kind": "pattern", "path": HOSTILE, "size": 1, "sha256": "0" * 64}
    for raw in ({"format": 1, "version": HOSTILE, "files": []}, {"format": 1, "version": "1", "files": [file]}):
        with pytest.raises(InvalidManifest) as refused:
            Manifest.parse(json.dumps(raw).encode())
        assert harmless(str(refused.value))


@pytest.mark.parametrize("name", ["../\x1b[2J", "a\x1b[2Jb", "\u202ecod", "/\x07"])
def test_an_archive_is_refused_in_harmless_words(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidArchive) as refused:
        unpack(str(tmp_path / "a.zip"), str(tmp_path / "out"))
    assert harmless(str(refused.value))


WRITERS = {"_host/output.py"}


def writes(tree: ast.AST) -> list[str]:
    """Calls that reach a terminal past the one writer."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr"):
            found += [f"sys.{node.attr}"] if isinstance(node.value, ast.Name) and node.value.id == "sys" else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            found.append("print")
    return found


@pytest.mark.parametrize("ring", ["_core", "_host", "_endpoint", "_server"])
def test_one_file_writes_to_the_terminal_and_no_other(ring: str) -> None:
    found = {}
    for path in sorted((LIBRARY / ring).rglob("*.py")):
        name = path.relative_to(LIBRARY).as_posix()
        told = writes(ast.parse(path.read_text(encoding="utf-8")))
        if told and name not in WRITERS:
            found[name] = told
    assert found == {}
    assert writes(ast.parse("import sys\nsys.stdout.write('x')\nprint('x')"))
