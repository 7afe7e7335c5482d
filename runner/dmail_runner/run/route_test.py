"""`route test`: delivers probes that are named, compressed and encrypted like the route's files."""

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
from dmail_runner.core.template import SLOT_FORMAT, fill
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.encryption import Encryption
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.declare.provider import Compression, find_provider
from dmail_runner.declare.route import FILE, AnyRoute
from dmail_runner.extract.compress import SUFFIXES, Packing
from dmail_runner.extract.envelope import Envelope, Seal
from dmail_runner.extract.keys import findings
from dmail_runner.extract.part_file import PartFile
from dmail_runner.ship.fitting import Verdict, judge
from dmail_runner.ship.probe import Trial

BYTES = 4 << 20
TEXT = "This file tests the transfer from dmail-runner. Please do not print it, and delete it.\r\n"


@dataclass(frozen=True)
class Form:
    """The form of a route's files, which its probes have, too. Some servers accept only certain names.

    Attributes:
        folder: their folder, below the route's folder.
        prefix: the beginning of their names.
        suffix: the suffix of their names before compression and encryption.
        compress: the compression; None for uncompressed files.

    """

    folder: str = "."
    prefix: str = ""
    suffix: str = ".csv"
    compress: Compression | None = None

    @property
    def packed(self) -> str:
        """The suffix that compression adds."""
        return SUFFIXES[self.compress] if self.compress else ""

    @property
    def pattern(self) -> str:
        """The pattern of their paths, before encryption."""
        return str(PurePosixPath(self.folder, f"{self.prefix}*{self.suffix}{self.packed}"))


@dataclass(frozen=True)
class Probes:
    """Makes probes.

    Attributes:
        name: the route's name.
        encryption: the route's encryption; None for plain files.
        keys: the folder of the public keys.
        work: the folder for the probes.
        form: the form of their names and contents.
        now: the present time, which is in their names.
        size: their size in bytes, before compression and encryption.

    """

    name: str
    encryption: Encryption | None
    keys: Path
    work: Path
    form: Form
    now: datetime
    size: int = BYTES

    def make(self, number: int) -> Spooled:
        """Make a probe with a new name. Raises ExtractError if it cannot be encrypted."""
        path = self.work / f"{number:05d}.part"
        stamp = self.now.astimezone(UTC).strftime(SLOT_FORMAT)
        inner = f"{self.form.prefix}dmail-probe-{stamp}-{number}{self.form.suffix}"
        packing = Packing(self.form.compress, inner) if self.form.compress else None
        seal = Seal(self.encryption, self.keys) if self.encryption else None
        file = PartFile(path, CsvFormat(), seal, packing)
        text = TEXT.encode()
        file.write(text + secrets.token_hex((self.size - len(text)) // 2).encode())
        file.end()
        content = file.content()
        name = PurePosixPath(self.form.folder, f"{inner}{self.form.packed}{self.encryption.suffix if self.encryption else ''}")
        return Spooled(Part(number, str(name), 1, content.bytes, content.sha256, self.name), path)


def try_route(
    route: AnyRoute,
    probes: Probes,
    heard: Callable[[Trial], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Verdict:
    """Deliver probes by a route and judge it. Raises ConfigError if nothing can be encrypted to the route's keys.

    Args:
        route: the route as it is declared.
        probes: makes the probes. Its folder is created, and removed at the end.
        heard: called with each trial after it.
        wait: waits for a number of seconds before another session.

    """
    if probes.encryption:
        found = findings(probes.keys, probes.encryption, (FILE, f"{probes.name}.encryption"), probes.now, probes.now)
        if faults := [finding.problem for finding in found if finding.error]:
            raise ConfigError(faults)
    shutil.rmtree(probes.work, ignore_errors=True)
    probes.work.mkdir(mode=0o700, parents=True)
    try:
        return judge(route, probes.make, heard, wait)
    finally:
        shutil.rmtree(probes.work, ignore_errors=True)


def forms_of(settings: Settings, name: str, campaigns: Iterable[Campaign], now: datetime) -> list[Form]:
    """The forms of the files that campaigns deliver by a route. Without a campaign, it is the form of CSV files."""
    forms: dict[Form, None] = {}
    for campaign in campaigns:
        with suppress(ConfigError, ValueError):
            provider = find_provider(settings, campaign.mail.provider)
            if provider.route == name:
                envelope = Envelope(campaign, provider, now, "probe")
                like = PurePosixPath(envelope.base_name())
                prefix = fill(provider.prefix, envelope.placeholders())
                forms[Form(str(like.parent), prefix, like.suffix, provider.compress)] = None
    return list(forms) or [Form()]
