# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the hosts of a play, as a task of this very place would see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.template import Templar

_LISTS = ("ansible_play_hosts_all", "ansible_play_hosts", "ansible_play_batch", "play_hosts")
"""What is the same for all hosts of a play, and costs a look at all of them each time it is made anew."""

Template = Callable[[Any], Any]
HostOfPlay = tuple[str, Mapping[str, Any], Template]


def hosts_of_play(
    task: Any, loader: Any, task_vars: Mapping[str, Any], *, only: Sequence[str] | None = None
) -> Iterator[HostOfPlay]:
    """Each host of the batch with its variables, which are not templated, and the function that does that.

    ``only`` are the hosts to look at, by default all of the batch. Hosts outside the play are never looked at: which
    hosts there are is the inventory's affair, and an inventory may be a part of a larger one.
    """
    for host in task_vars["ansible_play_batch"] if only is None else only:
        variables = _variables_of(host, task, task_vars)
        yield host, variables, _lazily(loader, variables)


def variables_of_target(task: Any, loader: Any, task_vars: Mapping[str, Any]) -> tuple[Mapping[str, Any], Template]:
    """The variables of the host that a task runs on or is delegated to, and the function that templates them.

    A task can be delegated to a name that is no host of the inventory; the variables are those of the task's host then.
    """
    host = task.delegate_to
    if not host or host not in task_vars["groups"]["all"]:
        return task_vars, _lazily(loader, task_vars)
    variables = _variables_of(host, task, task_vars)
    return variables, _lazily(loader, variables)


def _variables_of(host: str, task: Any, task_vars: Mapping[str, Any]) -> Mapping[str, Any]:
    """The host's variables. ``hostvars`` would do, were it not blind to the variables of the play and the role."""
    hostvars = task_vars["hostvars"]
    manager, play = getattr(hostvars, "_variable_manager", None), getattr(task, "play", None)
    if manager is None or play is None:
        return dict(hostvars.get(host))
    known = hostvars._inventory.get_host(host)
    variables: dict[str, Any] = manager.get_vars(play=play, host=known, task=task, _hosts=[host], _hosts_all=[host])
    variables.update({name: task_vars[name] for name in _LISTS if name in task_vars})
    return variables


def _lazily(loader: Any, variables: Mapping[str, Any]) -> Template:
    """Templating whose engine is made when it is first needed: most hosts need none."""
    engine: list[Any] = []

    def template(value: Any) -> Any:
        if not engine:
            engine.append(Templar(loader=loader, variables=variables))
        return engine[0].template(value)

    return template
