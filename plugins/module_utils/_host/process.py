# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One bounded child process.

Built on ``os.posix_spawn`` because the agent starts many thousand times a day and nearly always has nothing to do:
importing asyncio would cost it 40 ms on each start, this costs less than one.
"""

from __future__ import annotations

import os
import select
import time

from .._core.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OUTPUT_LIMIT = 4 * 1024 * 1024
"""Bytes kept of each output stream, unless told otherwise.

What follows is read and thrown away, so that the child never blocks.
"""

SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where programs are looked for."""
_ENVIRONMENT = {"PATH": ":".join(SEARCHED), "LC_ALL": "C", "HOME": "/"}
_TICK_MS = 100
_OF_SHELLS = 128
_SIGNALS = {6: "it aborted", 9: "often out of memory", 11: "it crashed", 15: "somebody ended it"}
_SIGKILL = 9  # POSIX says so; the module signal, with enum behind it, would be a fifth of a start


@frozen
class Completed:
    """A finished process. ``code`` is its exit status (negative: ended by that signal), output is text in UTF-8."""

    code: int
    out: str
    err: str
    timed_out: bool = False

    @property
    def cut(self) -> bool:
        """Whether it was kept from ending by itself: by a signal, or because its time was up."""
        return self.timed_out or self.code < 0

    @property
    def ended(self) -> str:
        """How it ended, as the end of a sentence about it."""
        if self.timed_out:
            return "took too long and was ended"
        if self.code < 0:
            return f"was killed by {_signal(-self.code)}"
        # A shell, and sudo, tell by such a status that a signal ended what they had started.
        by_signal = f", as after {_signal(self.code - _OF_SHELLS)}" if self.code - _OF_SHELLS in _SIGNALS else ""
        return f"ended with exit code {self.code}{by_signal}"


def _signal(number: int) -> str:
    hint = _SIGNALS.get(number)
    return f"signal {number} ({hint})" if hint else f"signal {number}"


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    keep: int = OUTPUT_LIMIT,
) -> Completed:
    """Run ``argv`` as a process group of its own and wait for it at most ``timeout`` seconds, then kill the group.

    ``keep`` is how many bytes of each output stream are kept. Raises FileNotFoundError or PermissionError when the
    program can't be started.
    """
    with _Pipes(keep) as pipes:
        pid = os.posix_spawnp(
            argv[0], list(argv), {**_ENVIRONMENT, **(env or {})}, file_actions=pipes.for_child(), setpgroup=0
        )
        child = _Child(pid)
        try:
            pipes.close_child_ends()
            finished = _converse(child, pipes, stdin, time.monotonic() + timeout)
        finally:
            child.kill_group()
        return Completed(child.code, pipes.text(pipes.out), pipes.text(pipes.err), timed_out=not finished)


class _Child:
    """The process: its exit status once it has one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def exited(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def kill_group(self) -> None:
        """Kill what is left of the process group, then collect the leader."""
        try:
            os.killpg(self.pid, _SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # the group is gone, or (macOS) holds nothing but the exited leader
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]

    @property
    def code(self) -> int:
        """Exit status; the negative signal number for a process that a signal ended."""
        status = self._status or 0
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


class _Pipes:
    """The three standard streams of a child, seen from both ends."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._open: set[int] = set()
        self._child_in, self.stdin = self._pipe()
        self.out, self._child_out = self._pipe()
        self.err, self._child_err = self._pipe()
        self._texts: dict[int, bytearray] = {self.out: bytearray(), self.err: bytearray()}
        os.set_blocking(self.stdin, False)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open.update(ends)
        return ends

    def __enter__(self) -> _Pipes:
        return self

    def __exit__(self, *_exception: object) -> None:
        for end in tuple(self._open):
            self.close(end)

    def for_child(self) -> list[tuple[int, int, int]]:
        """File actions that make the child's ends its descriptors 0, 1 and 2."""
        ends = (self._child_in, self._child_out, self._child_err)
        return [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends)]

    def close_child_ends(self) -> None:
        for end in (self._child_in, self._child_out, self._child_err):
            self.close(end)

    def close(self, end: int) -> None:
        if end in self._open:
            self._open.discard(end)
            os.close(end)

    def pull(self, end: int) -> bool:
        """Read once from an output; False at its end."""
        data = os.read(end, 65536)
        text = self._texts[end]
        text.extend(data[: max(0, self._keep - len(text))])
        return bool(data)

    def push(self, data: memoryview) -> memoryview:
        """Write once to the child's input; returns what is still to be written (nothing when the child hung up)."""
        try:
            return data[os.write(self.stdin, data) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:
            return data[:0]

    def text(self, end: int) -> str:
        return self._texts[end].decode("utf-8", "replace")


def _converse(child: _Child, pipes: _Pipes, stdin: bytes, deadline: float) -> bool:
    """Feed and read the child until it has exited; False when the deadline passes first.

    A grandchild may keep the pipes open after the child has gone, so the end of the output is not waited for.
    """
    streams = _Streams(pipes, stdin)
    gone = False
    while time.monotonic() < deadline:
        # With all streams closed there is nothing to poll but the exit itself, which is due any moment.
        moved = streams.move(0 if gone else _TICK_MS if streams.open else 1)
        if gone and not moved:
            return True
        if streams.closed or not moved:
            gone = child.exited()  # what it wrote after the last look at its streams is still to be read
            if gone and streams.closed:
                return True
    return child.exited()


class _Streams:
    """What is still to be written to a child, and read from it."""

    def __init__(self, pipes: _Pipes, stdin: bytes) -> None:
        self._pipes = pipes
        self._data = memoryview(stdin)  # a slice of it copies nothing, however much is left
        self._reading = {pipes.out, pipes.err}
        self._poll = select.poll()
        for end in self._reading:
            self._poll.register(end, select.POLLIN)
        if self._data:
            self._poll.register(pipes.stdin, select.POLLOUT)
        else:
            pipes.close(pipes.stdin)

    @property
    def open(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self._reading or self._data)

    @property
    def closed(self) -> bool:
        """Whether the child has closed its outputs, so that nothing more can come."""
        return not self._reading

    def move(self, wait_ms: int) -> bool:
        """Read and write what can be, once; False where nothing could be within this time."""
        ready = self._poll.poll(wait_ms)
        for end, _event in ready:
            if end == self._pipes.stdin:
                self._data = self._pipes.push(self._data)
                if not self._data:
                    self._poll.unregister(end)
                    self._pipes.close(end)
            elif not self._pipes.pull(end):
                self._poll.unregister(end)
                self._reading.discard(end)
        return bool(ready)
