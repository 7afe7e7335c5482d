"""A headless Chromium, spoken to by a pipe in its DevTools protocol: what a page asks for, how it looks, what axe-core finds in it."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# No word to anybody, and no sandbox where root would need one.
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)


@dataclass
class Browser:
    """One tab. `requests`: the addresses that the page has asked for since it was opened; `told`: errors on its console."""

    write: int
    read: int
    number: int = 0
    session: str | None = None
    rest: bytes = b""
    requests: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    loaded: bool = False

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer, noting the events that come before it."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        os.write(self.write, json.dumps({**message, "sessionId": self.session} if self.session else message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def next(self) -> dict[str, Any]:
        """The next message."""
        while b"\0" not in self.rest:
            more = os.read(self.read, 1 << 20)
            assert more, "the browser is gone"
            self.rest += more
        first, self.rest = self.rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(first)
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Log.entryAdded":
                self.told.append(message["params"]["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.told.append(json.dumps(message["params"]["exceptionDetails"]))
            case "Page.loadEventFired":
                self.loaded = True
        return message

    def attach(self) -> None:
        """Open the tab."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def screen(self, width: int, theme: str) -> None:
        """How wide the window is, in pixels, and whether its user likes it dark."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def open(self, page: Path) -> None:
        self.requests, self.told, self.loaded = [], [], False
        self.ask("Page.navigate", url=page.as_uri())
        while not self.loaded:
            self.next()

    def run(self, script: str) -> Any:
        """What an expression comes to in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def axe(self, axe: str) -> list[str]:
        """What axe-core, whose source is given, finds in the page."""
        self.run(axe)
        found = self.run("axe.run(document, {preload: false}).then(found => found.violations)")
        return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]


def high_pipe() -> tuple[int, int]:
    """A pipe whose descriptors are none of those by which the browser hears and answers."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own; skips the test where there is none."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None) or pytest.skip(
        "Chromium is not installed"
    )
    hear, send = high_pipe()
    listen, answer = high_pipe()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        # The protocol is read from descriptor 3 and written to 4.
        command = ["bash", "-c", f'exec 3<&{hear} 4>&{answer}; exec "$@"', "-", program, *OPTIONS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [*command, "about:blank"], pass_fds=(hear, answer), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(hear)
        os.close(answer)
        try:
            browser = Browser(send, listen)
            browser.attach()
            yield browser
        finally:
            process.terminate()
            process.wait(20)
            os.close(send)
            os.close(listen)


def axe_source() -> str:
    """axe-core, as npm has installed it for everybody."""
    npm = shutil.which("npm") or pytest.skip("npm is not installed")
    root = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=True).stdout.strip()
    path = Path(root, "axe-core", "axe.min.js")
    if not path.is_file():
        pytest.skip("axe-core is not installed")
    return path.read_text()
