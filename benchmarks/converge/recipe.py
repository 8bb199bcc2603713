# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same deployment for other tools: files to copy, templates with each host's values, units to enable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifest import Item, Manifest

UNITS = "/etc/systemd/system/"
WANTS = f"{UNITS}timers.target.wants/"


@dataclass(frozen=True)
class Recipe:
    """What every contender deploys.

    ``shared`` are the variables of all hosts, ``own`` those of each host. ``sources`` are the files to copy and the
    templates by their name in the source directory.
    """

    shared: dict[str, Any]
    own: dict[str, dict[str, str]]
    sources: dict[str, bytes]

    def summary(self) -> str:
        """What has to be deployed, in one line."""
        counts = {name.removeprefix("bench_"): len(values) for name, values in self.shared.items()}
        return "to deploy: " + ", ".join(f"{count} {name}" for name, count in counts.items())

    def write(self, directory: Path) -> None:
        """Put the sources into ``directory``."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in self.sources.items():
            (directory / name).write_bytes(content)


def recipe(manifests: dict[str, Manifest], started: list[str]) -> Recipe:
    """The recipe for what was found on these hosts; ``started`` are the timers that run there.

    A file that is the same everywhere is copied, any other becomes a template in which the lines that differ are
    variables.
    """
    first = next(iter(manifests.values()))
    if any(found.keys() != first.keys() for found in manifests.values()):
        raise ValueError("the hosts do not hold the same paths")
    directories = [{"path": path, "mode": item.mode} for path, item in first.items() if item.kind == "directory"]
    copies, templates, sources = [], [], {}
    own: dict[str, dict[str, str]] = {host: {} for host in manifests}
    for path, item in _files(first):
        name = path.strip("/").replace("/", "__")
        contents = {host: found[path].text for host, found in manifests.items()}
        if len(set(contents.values())) == 1:
            sources[name] = item.text
            copies.append({"source": name, "path": path, "mode": item.mode})
        else:
            sources[f"{name}.j2"] = _template(contents, prefix=f"value_{len(templates)}", values=own)
            templates.append({"source": f"{name}.j2", "path": path, "mode": item.mode})
    shared = {
        "bench_directories": sorted(directories, key=lambda directory: directory["path"]),
        "bench_copies": copies,
        "bench_templates": templates,
        "bench_enabled": [path.removeprefix(WANTS) for path in first if path.startswith(WANTS)],
        "bench_started": started,
    }
    _refuse_the_rest(first)
    return Recipe(shared=shared, own=own, sources=sources)


def _files(found: Manifest) -> list[tuple[str, Item]]:
    return [(path, item) for path, item in sorted(found.items()) if item.kind == "file"]


def _refuse_the_rest(found: Manifest) -> None:
    """What the other tools are not told to make must not be there."""
    for path, item in found.items():
        enabling = item.kind == "link" and path.startswith(WANTS)
        if not enabling and (item.kind not in ("file", "directory") or item.owner != "0:0"):
            raise ValueError(f"{path} ({item}): the other playbooks have no task for this")


def _template(contents: dict[str, bytes], *, prefix: str, values: dict[str, dict[str, str]]) -> bytes:
    """A Jinja template of all ``contents``; what differs goes into ``values`` of its host."""
    lines = {host: content.decode().splitlines(keepends=True) for host, content in contents.items()}
    if len({len(own) for own in lines.values()}) != 1:
        raise ValueError(f"texts of different lengths, the first begins with {next(iter(contents.values()))[:80]!r}")
    result = []
    for number, variants in enumerate(zip(*lines.values())):
        if len(set(variants)) == 1:
            result.append(_literally(variants[0]))
            continue
        name = f"{prefix}_{number}"
        result.append(f"{{{{ {name} }}}}\n")
        for host, variant in zip(lines, variants):
            values[host][name] = variant.rstrip("\n")
    return "".join(result).encode()


def _literally(line: str) -> str:
    special = any(mark in line for mark in ("{{", "{%", "{#"))
    return f"{{% raw %}}{line.rstrip()}{{% endraw %}}\n" if special else line
