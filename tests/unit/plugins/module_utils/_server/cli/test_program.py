# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-server`` as one file: what it holds, how it starts, whom it becomes, and what it needs."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.version import VERSION
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import parser
from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge import service_account

LIBRARY = Path(payload.__file__).parent.parent
COLLECTIONS = str(LIBRARY.parents[4])
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.partition('.')[0]
        if top != 'epp_autoupdate' and top not in sys.stdlib_module_names:
            raise ImportError('blocked: ' + name)
sys.meta_path.insert(0, Block())
sys.path.insert(0, {program!r})
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("server") / "epp-server"
    path.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    path.chmod(0o755)
    return path


def run(server: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([server, *arguments], capture_output=True, text=True, check=False)


def test_the_sources_are_the_files_of_its_rings() -> None:
    rings = ("_core", "_host", "_server")
    on_disk = {str(path.relative_to(LIBRARY)) for ring in rings for path in (LIBRARY / ring).rglob("*.py")}
    others = {"_core/products/definitions/__init__.py", "_core/schedule/capacity.py", "_core/schedule/openings.py"}
    assert set(payload.sources()) == on_disk - others, "the control node's alone"


def test_it_starts_and_tells_its_version_and_its_exit_statuses(server: Path) -> None:
    assert run(server, "--version").stdout == f"epp-server {VERSION}\n"
    told = run(server, "--help").stdout
    assert "exit status:" in told
    assert set(parser.COMMANDS) <= {line.split()[0] for line in told.splitlines() if line.startswith("    ")}


def test_a_wrong_command_line_ends_with_64(server: Path) -> None:
    for wrong in (["no-such-command"], [], ["campaigns", "--nothing"]):
        done = run(server, *wrong)
        assert (done.returncode, done.stderr.splitlines()[-1].startswith("epp-server: ")) == (64, True)


def test_the_root_may_come_before_or_after_the_command(server: Path, tmp_path: Path) -> None:
    for number, order in enumerate((["--root", tmp_path / "0", "campaigns"], ["campaigns", "--root", tmp_path / "1"])):
        done = run(server, *order, "--json")
        assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)
        assert (tmp_path / str(number) / "var/lib/epp-autoupdate-server/server.db").exists()


def test_it_registers_and_publishes_on_every_python(server: Path, tmp_path: Path, python: Path) -> None:
    document = {"domains": {"emea": {"schedule": {"window": "1h"}}}, "endpoints": [{"name": "n1", "domain": "emea"}]}
    register = [python, "-I", server, "--root", tmp_path, "register"]
    for changed in (True, False):
        done = subprocess.run(register, input=json.dumps(document), capture_output=True, text=True, check=False)
        assert (done.stderr, json.loads(done.stdout)["changed"]) == ("", changed)
    effective = [python, "-I", server, "--root", tmp_path, "tree", "explain", "n1", "--json"]
    told = json.loads(subprocess.run(effective, capture_output=True, text=True, check=True).stdout)
    assert (told["policy"]["schedule"]["window"], told["provenance"]["schedule.window"]) == ("1h", "domain emea")


@pytest.mark.skipif(sys.version_info < (3, 10), reason="sys.stdlib_module_names came with Python 3.10")
def test_everything_but_the_ssh_notifier_works_without_other_packages(server: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(server) as archive:
        modules = [name[:-3].replace("/", ".") for name in archive.namelist() if name.endswith(".py")]
    modules = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    script = BLOCK.format(program=str(server)) + (
        f"import importlib\nfor name in {modules!r}:\n    importlib.import_module(name)\n"
        "from epp_autoupdate._server.cli.parser import main\n"
        f"raise SystemExit(main(['--root', {str(tmp_path)!r}, 'campaigns', '--json']))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout, done.returncode) == ("", "[]\n", 0)


def test_the_ssh_library_is_found_where_it_is_installed(server: Path) -> None:
    """The program's own interpreter reads site-packages, which that of the agent does not."""
    first_line = server.read_bytes().partition(b"\n")[0].decode()
    assert first_line.startswith(f"#!{sys.executable} -I")
    assert "S" not in first_line.partition(" ")[2].partition("c")[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_the_servers_user_before_it_touches_anything() -> None:
    """In a process of its own: nobody comes back from this."""
    script = (
        "import json, os, sys\n"
        "from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost\n"
        "from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge.service_account import become\n"
        "os.umask(0o077)\nbecome(LocalHost(), 'nobody')\n"
        "print(json.dumps([os.getresuid(), os.getresgid(), os.environ['USER'], os.getcwd(), os.umask(0)]))\n"
        "try:\n    os.setuid(0)\nexcept PermissionError:\n    print('for good')\n"
    )
    env = {**os.environ, "PYTHONPATH": COLLECTIONS}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=env)
    nobody = pwd.getpwnam("nobody")
    seen, last = done.stdout.splitlines() or [done.stderr, ""]
    assert json.loads(seen) == [[nobody.pw_uid] * 3, [nobody.pw_gid] * 3, "nobody", "/", 0o022]
    assert last == "for good"


@pytest.mark.skipif(os.geteuid() != 0, reason="others stay who they are")
def test_a_missing_user_is_told_plainly() -> None:
    with pytest.raises(service_account.NoUser, match="no user epp-nobody-has-this-name: run the role"):
        service_account.become(LocalHost(), "epp-nobody-has-this-name")


def test_in_a_sandbox_everybody_stays_who_they_are(tmp_path: Path) -> None:
    service_account.become(LocalHost(str(tmp_path)), "epp-nobody-has-this-name")
