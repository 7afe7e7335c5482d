"""`route test`: probes that are named and sealed as the route's files are, and what comes of them."""

import hashlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.core.template import SLOT_FORMAT
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.encryption import Encryption
from dmail_runner.declare.provider import find_provider
from dmail_runner.declare.route import FILE, AnyRoute
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.keys import findings
from dmail_runner.extract.part_file import PlainFile
from dmail_runner.extract.seal import Sealer, Stored
from dmail_runner.ship.fitting import Verdict, judge
from dmail_runner.ship.probe import Trial

BYTES = 4 << 20
DEFAULT = PurePosixPath("probe.csv")
TEXT = "This file tests the transfer from dmail-runner. Please do not print it, and delete it.\r\n"


@dataclass(frozen=True)
class Probes:
    """Makes probes.

    Attributes:
        name: the route's name.
        encryption: whom they are sealed to.
        keys: the folder of the public keys.
        folder: where they are made.
        like: the path of a file that the route delivers. Probes have its folder and its suffix.
        now: the present moment, which is in their names.
        size: their bytes, before they are sealed.

    """

    name: str
    encryption: Encryption | None
    keys: Path
    folder: Path
    like: PurePosixPath
    now: datetime
    size: int = BYTES

    def make(self, number: int) -> Spooled:
        """A new probe, sealed if the route has keys. Raises ExtractError if it cannot be sealed."""
        path = self.folder / f"{number:05d}.part"
        text = TEXT.encode()
        stored = self.store(path, text + secrets.token_hex((self.size - len(text)) // 2).encode())
        stem = f"dmail-probe-{self.now.astimezone(UTC).strftime(SLOT_FORMAT)}-{number}"
        suffix = self.encryption.suffix if self.encryption else ""
        name = str(self.like.with_name(f"{stem}{self.like.suffix}{suffix}"))
        return Spooled(Part(number, name, 1, stored.bytes, stored.sha256, self.name), path)

    def store(self, path: Path, content: bytes) -> Stored:
        """Write the content as a run writes its files."""
        sink = Sealer(path, self.encryption, self.keys) if self.encryption else PlainFile(path)
        sink.write(content)
        sink.end()
        return sink.finish() or Stored(len(content), hashlib.sha256(content).hexdigest())


def try_route(
    route: AnyRoute,
    probes: Probes,
    heard: Callable[[Trial], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Verdict:
    """Deliver probes by a route and judge it. Raises ConfigError if nothing could be sealed to its keys.

    Args:
        route: the route as it is declared.
        probes: what is delivered. Its folder is made, and removed in the end.
        heard: is told of each trial when it has ended.
        wait: waits for so many seconds before another session.

    """
    if probes.encryption:
        found = findings(probes.keys, probes.encryption, (FILE, f"{probes.name}.encryption"), probes.now, probes.now)
        if faults := [finding.problem for finding in found if finding.error]:
            raise ConfigError(faults)
    shutil.rmtree(probes.folder, ignore_errors=True)
    probes.folder.mkdir(mode=0o700, parents=True)
    try:
        return judge(route, probes.make, heard, wait)
    finally:
        shutil.rmtree(probes.folder, ignore_errors=True)


def delivered_like(settings: Settings, name: str, campaigns: Iterable[Campaign], now: datetime) -> PurePosixPath:
    """The path of a file that some campaign delivers by a route; a CSV file in the route's directory if there is none."""
    for campaign in campaigns:
        with suppress(ConfigError, ValueError):
            provider = find_provider(settings, campaign.mail.provider)
            if provider.route == name:
                return PurePosixPath(Envelope(campaign, provider, now, "probe").base_name())
    return DEFAULT
