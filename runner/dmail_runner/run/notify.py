"""Telling people what happened, what it means for the mailing, and what to type next. profiles/notices.yml says whom."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import get_args

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from dmail_runner.core.redact import redact
from dmail_runner.declare.notices import Channel, Kind, Notices
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import instant
from dmail_runner.ledger.tables import notices

MEANS: Mapping[str, str] = {
    "delivered": "the mail house has the whole file",
    "empty": "nobody was included, and nothing was sent for this slot",
    "held": "nothing more happens to this mailing until a person has decided",
    "failed": "nothing more was sent; it is tried again by itself while the schedule's service runs",
    "missed": "the letters of this slot were not sent, and will not be by themselves",
    "left_behind": "the mailing is delivered, and its personal data lies on the server under a second name, too",
    "key_expiring": "files cannot be sealed for the mail house any more when it has expired",
}
SECONDS = 10  # for which a channel may keep silent


@dataclass(frozen=True)
class Notice:
    """One thing to tell. `owner`: the e-mail address of the campaign's owner. `todo`: the command to type next."""

    kind: Kind
    campaign: str
    what: str
    todo: str
    run_id: str | None = None
    slot: datetime | None = None
    owner: str | None = None

    @property
    def subject(self) -> str:
        """What is told once and not again."""
        return f"{self.kind} {self.run_id or self.campaign} {hashlib.sha256(self.what.encode()).hexdigest()[:16]}"

    @property
    def title(self) -> str:
        return f"{self.campaign}: {self.kind.replace('_', ' ')}"

    @property
    def text(self) -> str:
        """What a person reads."""
        about = f"\nRun: {self.run_id}" if self.run_id else ""
        return f"{self.what}\n\nThis means: {MEANS[self.kind]}.\nNext: {self.todo}{about}"

    def as_json(self) -> dict[str, str | None]:
        """What a program reads."""
        told = {**asdict(self), "slot": instant(self.slot) if self.slot else None, "means": MEANS[self.kind]}
        return {name: told[name] for name in ("kind", "campaign", "run_id", "slot", "what", "means", "todo", "owner")}


@dataclass(frozen=True)
class Notifier:
    """Tells every notice once, to whom it concerns. Nothing that goes wrong with it stops anything: that is said by `tell`."""

    wanted: Notices
    ledger: Ledger
    tell: Callable[[str], None]

    def announce(self, notice: Notice) -> None:
        """Tell it, unless it was told before, by whatever process."""
        channels = list(self.channels(notice))
        if not channels or not self.is_new(notice):
            return
        for channel in channels:
            if problem := post(channel, notice) if channel.webhook else pass_on(channel, notice):
                self.tell(f"note     the notice could not be sent by {channel.name}: {redact(problem)}")

    def channels(self, notice: Notice) -> Iterator[Channel]:
        """Who is told."""
        for channel in self.wanted.channels:
            if notice.kind in channel.kinds and (channel.campaigns is None or notice.campaign in channel.campaigns):
                yield channel
        owner = Channel(url=self.wanted.owner) if self.wanted.owner and notice.owner else None
        if owner and notice.kind in owner.kinds:
            address = (self.wanted.owner or SecretStr("")).get_secret_value().replace("{owner}", notice.owner or "")
            yield owner.model_copy(update={"url": SecretStr(address)})

    def is_new(self, notice: Notice) -> bool:
        """Whether nobody has told it; from now on somebody has."""
        try:
            with self.ledger.writing() as connection:
                connection.execute(notices.insert().values(subject=notice.subject, at=self.ledger.stamp()))
        except LedgerError as error:
            return not isinstance(error.__cause__, IntegrityError) and self.is_new_here(notice)
        return True

    def is_new_here(self, notice: Notice) -> bool:
        """The same where the ledger cannot be written, which is when people must hear of it: by a file of this host."""
        told = self.ledger.anchor.path.with_name("notices")
        try:
            told.mkdir(exist_ok=True)
            (told / hashlib.sha256(notice.subject.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        except OSError as error:
            self.tell(f"note     {told}: {error.strerror}")
        return True


def post(channel: Channel, notice: Notice) -> str | None:
    """Send JSON to a webhook. What went wrong, if anything did."""
    import requests

    address = (channel.webhook or SecretStr("")).get_secret_value()
    headers = {name: value.get_secret_value() for name, value in channel.headers.items()}
    try:
        answer = requests.post(address, json=notice.as_json(), headers=headers, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        # Its text holds the address.
        return type(error).__name__
    return None if answer.ok else f"it answers {answer.status_code}"


def pass_on(channel: Channel, notice: Notice) -> str | None:
    """Send by apprise. What went wrong, if anything did."""
    import apprise

    # It says the same, with the address in it.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    kinds = {"delivered": apprise.NotifyType.SUCCESS, "failed": apprise.NotifyType.FAILURE}
    sender = apprise.Apprise()
    if not sender.add((channel.url or SecretStr("")).get_secret_value()):
        return "apprise does not understand this URL"
    well = sender.notify(title=notice.title, body=notice.text, notify_type=kinds.get(notice.kind, apprise.NotifyType.WARNING))
    return None if well else "it could not be reached, or refused"


assert set(MEANS) == set(get_args(Kind))
