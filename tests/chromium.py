# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A headless Chromium that is told what to do over a pipe, by its own protocol (DevTools).

Debian's ``chromium`` and the standard library are all it takes: no driver, and no package to install.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_ANSWER_S = 120.0
"""A guard against a browser that hangs: a loaded machine takes seconds."""
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--disable-dev-shm-usage", "--force-color-profile=srgb", "--font-render-hinting=none"),
)


class BrowserError(RuntimeError):
    """The browser refused a command, or a script in the page raised; the message is its own."""


def program() -> str | None:
    """The browser of this machine."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """A browser with a profile of its own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="epp-browser-", ignore_cleanup_errors=True) as profile:
        one = Browser(path, profile)
        try:
            yield one
        finally:
            one.close()


class Browser:
    """One browser with one page. ``complaints`` are errors and warnings of the page, ``requests`` what it asked for."""

    def __init__(self, path: str, profile: str) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._session: str | None = None
        self._buffer = b""
        self._answers: dict[int, dict[str, Any]] = {}
        command, self._send = (_high(end) for end in os.pipe())
        self._receive, answer = (_high(end) for end in os.pipe())
        pipes = [sys.executable, "-c", _TRAMPOLINE, str(command), str(answer)]
        options = [*_OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [*pipes, path, *options],
            pass_fds=(command, answer),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(command)
        os.close(answer)
        self._attach()

    def _attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        try:
            self._session = None
            self.call("Browser.close")
            self._process.wait(30)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        for end in (self._send, self._receive):
            os.close(end)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its result."""
        self._number += 1
        number = self._number
        session = {"sessionId": self._session} if self._session else {}
        message = json.dumps({"id": number, "method": method, "params": parameters, **session})
        _write(self._send, message.encode() + b"\0")
        end = time.monotonic() + _ANSWER_S
        while number not in self._answers:
            self._take(end)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Load a page anew; returns when it is complete."""
        self._navigate("about:blank")
        self.complaints.clear()
        self.requests.clear()
        self._navigate(url)

    def _navigate(self, url: str) -> None:
        told = self.call("Page.navigate", url=url)
        if told.get("errorText"):
            raise BrowserError(f"{url}: {told['errorText']}")
        place = json.dumps(url.partition("#")[0])
        self.until(f"document.readyState === 'complete' && location.href.split('#')[0] === {place}")

    def run(self, script: str) -> Any:
        """The value of an expression in the page, which may be a promise; raises BrowserError for its exception."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in told:
            details = told["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _ANSWER_S
        while not self.run(script):
            if time.monotonic() > end:
                raise BrowserError(f"never became true: {script}")
            time.sleep(0.02)

    def size(self, width: int, height: int, *, scale: float = 1.0) -> None:
        """The size of the page in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 500,
        )

    def media(self, kind: str = "", **features: str) -> None:
        """What the page is shown on: ``screen`` or ``print``; and features such as ``prefers-color-scheme``."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=kind, features=told)

    def key(self, name: str, text: str = "") -> None:
        """Press a key, which types ``text`` if it types anything."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27}.get(name, ord(name[0].upper()))
        press: Mapping[str, Any] = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
        self.call("Input.dispatchKeyEvent", type="keyUp", **press)

    def click(self, selector: str) -> None:
        """Click an element with the mouse, where it is on the screen."""
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        box = self.run(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def picture(self, path: Path) -> None:
        """A PNG of what is on the screen."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _take(self, end: float) -> None:
        """Read what the browser says; raises BrowserError where it says nothing until ``end``."""
        ready, _writable, _broken = select.select([self._receive], [], [], max(0.0, end - time.monotonic()))
        chunk = os.read(self._receive, 1 << 20) if ready else b""
        if not chunk:
            raise BrowserError("the browser has ended" if ready else "the browser does not answer")
        *messages, self._buffer = (self._buffer + chunk).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, method: str, told: Mapping[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(" ".join(str(one.get("value", one)) for one in told["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])


def _high(descriptor: int) -> int:
    """The same pipe by a number that is out of the way of those that the browser looks at."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 30)
    os.close(descriptor)
    return moved


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


_TRAMPOLINE = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
"""The browser takes commands from descriptor 3 and answers on 4."""
