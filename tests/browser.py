"""A real browser without a window, driven over its debugging pipe: no library, no port, no network.

Where there is none the tests are skipped and say so; where `CI` is set they
fail, since there it belongs to what is checked.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ANSWER_S = 60.0  # a machine that does much else is slow
FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # it opens our own pages alone, and root may not have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def found() -> str:
    """Return where a browser is; skip the test where there is none, and fail it where the checks run."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    reason = f"no browser is installed: none of {', '.join(NAMES)} is on the path"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Browser:
    """One browser process."""

    def __init__(self) -> None:
        path = found()
        self._folder = tempfile.TemporaryDirectory(prefix="fsm-arb-browser-", ignore_cleanup_errors=True)
        ours_read, theirs_write = os.pipe()
        theirs_read, ours_write = os.pipe()
        # Out of the way of 3 and 4, where the browser looks for them.
        high = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 10) for each in (theirs_read, theirs_write)]
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, each) for each in (0, 1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, fd, place) for fd, place in zip(high, (3, 4), strict=True)]
        argv = [path, *FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._pid = os.posix_spawn(path, argv, dict(os.environ), file_actions=actions, setpgroup=0)
        for each in (theirs_read, theirs_write, null, *high):
            os.close(each)
        self._read, self._write = ours_read, ours_write
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._read)
        os.close(self._write)
        self._folder.cleanup()

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        """Ask for something and return the answer; what happens meanwhile is kept in `events`."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        if session:
            asked["sessionId"] = session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_S
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def wait(self, method: str, session: str) -> None:
        """Wait until something has happened."""
        deadline = time.monotonic() + ANSWER_S
        while not any((each.get("method"), each.get("sessionId")) == (method, session) for each in self.events):
            self.events.append(self._next(deadline))

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(text)
        return told

    def open(self, path: Path, *, width: int = 1200, dark: bool = False, scripts: bool = True) -> Tab:
        """Open a page in a tab of its own."""
        return Tab(self, path, width=width, dark=dark, scripts=scripts)


class Tab:
    """One page."""

    def __init__(self, browser: Browser, path: Path, *, width: int, dark: bool, scripts: bool) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Page.navigate", url=path.resolve().as_uri())
        browser.wait("Page.loadEventFired", self._session)

    def call(self, method: str, **params: Any) -> Any:
        """Ask for something of this page."""
        return self._browser.call(method, self._session, **params)

    def ask(self, expression: str) -> Any:
        """Return what a JavaScript expression comes to; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element, as a person would."""
        spot = self.ask(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center', inline: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1, buttons=1
            )

    def key(self, key: str, text: str = "") -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text if kind == "keyDown" else "")

    def type(self, selector: str, text: str) -> None:
        """Put the cursor into a field and type."""
        self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def tree(self) -> list[tuple[str, str]]:
        """Return what a screen reader is told: role and name, in order."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]

    def requests(self) -> list[str]:
        """Return every address that the page asked for."""
        return [each["request"]["url"] for each in self._heard("Network.requestWillBeSent")]

    def complaints(self) -> list[str]:
        """Return what stands on the console, and what was raised and not caught."""
        told = [json.dumps(each) for each in self._heard("Runtime.exceptionThrown")]
        told += [json.dumps(each) for each in self._heard("Runtime.consoleAPICalled")]
        return told + [each["entry"]["text"] for each in self._heard("Log.entryAdded")]

    def picture(self) -> bytes:
        """Return the whole page as a PNG image."""
        import base64

        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        """Close it."""
        self.call("Page.close")

    def _heard(self, method: str) -> list[dict[str, Any]]:
        self.call("Runtime.evaluate", expression="0")  # whatever was under way before this has arrived
        return [
            each["params"]
            for each in self._browser.events
            if (each.get("method"), each.get("sessionId")) == (method, self._session)
        ]
