"""The resident service: carries out each slot when it is due, until it is stopped."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event

import requests

from dmail_runner.core.deadline import in_time
from dmail_runner.core.http import direct_session
from dmail_runner.plan.slots import next_slot
from dmail_runner.project.manifest import Manifest

MAX_PAUSE = 30.0  # seconds between two checks
MIN_PAUSE = 0.1
LONGEST = 30.0  # seconds for a heartbeat in all, however slowly its answer comes
HEALTHY = (0, 3)  # exit codes of a working service. A held run (3) waits for a person and not for the service


@dataclass(frozen=True)
class Service:
    """The service of one project.

    Attributes:
        state_file: the file for the service's state, which monitoring can read.
        run_due: carries out what is due, and returns the exit code.
        load: returns the manifest.
        now: returns the present time.
        tell: shows a line of progress.
        heartbeat: a URL to request after each check without an error; None for no requests.
    """

    state_file: Path
    run_due: Callable[[], int]
    load: Callable[[], Manifest]
    now: Callable[[], datetime]
    tell: Callable[[str], None]
    heartbeat: str | None = None

    def serve(self, ending: Event) -> None:
        """Carry out what is due, again and again, until `ending` is set."""
        while not ending.is_set():
            code = self.run_due()
            following = self.next_slot()
            with self.told():
                self.write_state(code, following)
            if code in HEALTHY and self.heartbeat:
                self.send_heartbeat(self.heartbeat)
            pause = (following - self.now()).total_seconds() if following else MAX_PAUSE
            ending.wait(min(max(pause, MIN_PAUSE), MAX_PAUSE))

    def next_slot(self) -> datetime | None:
        """The next slot of all active campaigns, in UTC; None if there is none, or if a campaign has errors."""
        found = []
        try:
            manifest = self.load()
            for name in manifest.names:
                campaign = manifest.campaign(name)
                mail = campaign.mail
                if campaign.status == "active" and mail.schedule and (slot := next_slot(mail.schedule, self.now())):
                    found.append(slot)
        except Exception:  # noqa: BLE001 - `run_due` has reported it, and the service tries again
            return None
        return min(found, default=None)

    def write_state(self, code: int, following: datetime | None) -> None:
        """Write the state. The file is replaced by a rename, so that it is always complete."""
        state = {
            "process": os.getpid(),
            "looked_at": f"{self.now():%Y-%m-%dT%H:%M:%SZ}",
            "exit_code": code,
            "next_slot": f"{following:%Y-%m-%dT%H:%M:%SZ}" if following else None,
        }
        new = self.state_file.with_name(f".{self.state_file.name}.new")
        new.write_text(json.dumps(state, indent=2) + "\n")
        new.replace(self.state_file)

    def send_heartbeat(self, url: str) -> None:
        """Request the URL. A failure is shown and has no other effect."""
        try:
            with direct_session() as session:
                in_time(lambda: session.get(url, timeout=10, allow_redirects=False), LONGEST, "heartbeat")
        except (requests.RequestException, TimeoutError, ValueError) as error:
            self.tell(f"note     the heartbeat failed: {type(error).__name__}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Show an error of the disk. Mailings do not wait for the service's state file."""
        try:
            yield
        except OSError as error:
            self.tell(f"note     {self.state_file} cannot be written: {error.strerror}")
