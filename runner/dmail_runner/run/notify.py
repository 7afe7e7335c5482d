"""Sends notices: what has happened, what it means for the mailing, and the next command (`profiles/notices.yml`)."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from dmail_runner.core.deadline import in_time
from dmail_runner.core.errors import unexpected
from dmail_runner.core.http import direct_session, unproxied
from dmail_runner.core.redact import redact, without_keys
from dmail_runner.core.values import Comparison
from dmail_runner.declare.notices import Channel, Kind, Notices
from dmail_runner.ledger.comparison import comparison_as_json
from dmail_runner.ledger.contents import written
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import instant
from dmail_runner.ledger.tables import notices
from dmail_runner.run.comparison import comparison_lines

MEANS: Mapping[str, str] = {
    "delivered": "the mail house has the complete file",
    "empty": "nobody was included, and nothing was sent for this slot",
    "held": "this mailing waits until a person has decided",
    "failed": "nothing more was sent; the scheduled service tries it again automatically",
    "missed": "the letters of this slot were not sent, and will not be sent automatically",
    "left_behind": "the mailing is delivered, and the server has its personal data under a second name, too",
    "file_aside": "what the provider reports in it is not known here; no mailing waits for it",
    "difference": "the mail house's figures differ from the file that was delivered; the campaign's next slot is held",
    "stock": "a coming mailing is held if the material has not arrived by then",
    "recall": "the mail house is asked not to mail this file; until it accepts that, its people count as mailed",
    "approved": "runs that wait for an approval continue when the campaign has all that it needs",
    "key_expiring": "files can no longer be encrypted for the mail house when the key has expired",
}
TIMEOUT = 10  # seconds to wait for a channel's answer
LONGEST = 60.0  # seconds for a notice in all: no time-out of a library covers an answer that comes byte by byte


@dataclass(frozen=True)
class Notice:
    """A notice.

    Attributes:
        kind: the kind of event.
        campaign: the campaign, or the subject of an event that is not about one campaign.
        what: the event, as a sentence.
        todo: the next step.
        run_id: the run; None for an event without a run.
        slot: the slot in UTC; None for an event without a run.
        owner: the e-mail address of the campaign's owner; None if there is none.
        figures: the figures of a run that waits for a person; None if nothing is known.
    """

    kind: Kind
    campaign: str
    what: str
    todo: str
    run_id: str | None = None
    slot: datetime | None = None
    owner: str | None = None
    figures: Comparison | None = None

    @property
    def subject(self) -> str:
        """The key of the event, which is reported once."""
        return f"{self.kind} {self.run_id or self.campaign} {hashlib.sha256(self.what.encode()).hexdigest()[:16]}"

    @property
    def title(self) -> str:
        return f"{self.campaign}: {self.kind.replace('_', ' ')}"

    @property
    def text(self) -> str:
        """The text for people."""
        about = f"\n\nRun: {self.run_id}" if self.run_id else ""
        slot = f"\nSlot: {self.slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if self.slot else ""
        table = "\n\n" + "\n".join(comparison_lines(self.figures)) if self.figures else ""
        return f"{self.what}\n\nThis means: {MEANS[self.kind]}.\n\nNext: {self.todo}{about}{slot}{table}"

    def as_json(self) -> dict[str, Any]:
        """The content for programs. `figures` is there for runs that wait for a person."""
        names = ("kind", "campaign", "run_id", "slot", "what", "means", "todo", "owner")
        values = {**vars(self), "slot": instant(self.slot) if self.slot else None, "means": MEANS[self.kind]}
        figures = {"figures": comparison_as_json(self.figures)} if self.figures else {}
        return {**{name: values[name] for name in names}, **figures}


@dataclass(frozen=True)
class Notifier:
    """Sends each notice once to the configured channels. A failure to send is shown by `tell` and has no other effect.

    `folder`: where notices are recorded if there is no ledger. The default is beside the ledger's anchor.
    """

    wanted: Notices
    ledger: Ledger | None
    tell: Callable[[str], None]
    folder: Path | None = None

    def announce(self, notice: Notice) -> None:
        """Send a notice, unless this or another process has sent it before."""
        # A channel may keep notices, and a person could not be erased there.
        notice = replace(notice, what=without_keys(notice.what))
        channels = list(self.channels(notice))
        if not channels or not self.is_new(notice):
            return
        for channel in channels:
            if problem := send(channel, notice):
                self.tell(f"note     the notice could not be sent by {channel.name}: {redact(problem)}")

    def channels(self, notice: Notice) -> Iterator[Channel]:
        """The channels for a notice."""
        for channel in self.wanted.channels:
            if notice.kind in channel.kinds and (channel.campaigns is None or notice.campaign in channel.campaigns):
                yield channel
        owner = Channel(url=self.wanted.owner, allow_http=True) if self.wanted.owner and notice.owner else None
        if owner and notice.kind in owner.kinds:
            yield owner.model_copy(update={"url": SecretStr(owner.address.replace("{owner}", notice.owner or ""))})

    def is_new(self, notice: Notice) -> bool:
        """Record a notice as sent. Returns False if it was recorded before."""
        if self.ledger is None:
            return self.is_new_here(notice)
        try:
            with self.ledger.writing() as connection:
                connection.execute(notices.insert().values(subject=notice.subject, at=self.ledger.stamp()))
                content = written(connection, notices, notices.c.subject == notice.subject)
                self.ledger.record(connection, notice.run_id or notice.campaign, "notice", notice.kind, content)
        except LedgerError as error:
            return not isinstance(error.__cause__, IntegrityError) and self.is_new_here(notice)
        return True

    def is_new_here(self, notice: Notice) -> bool:
        """Record a notice in a file of this host, because people must be notified if the ledger cannot be written."""
        folder = self.folder or (self.ledger.anchor.path.with_name("notices") if self.ledger else Path())
        try:
            folder.mkdir(exist_ok=True)
            (folder / hashlib.sha256(notice.subject.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        except OSError as error:
            self.tell(f"note     {folder}: {error.strerror}")
        return True


def send(channel: Channel, notice: Notice) -> str | None:
    """Send a notice by a channel. Returns the problem, or None."""
    try:
        return in_time(lambda: (post if channel.webhook else pass_on)(channel, notice), LONGEST, "notice")
    except TimeoutError:
        return f"no complete answer within {LONGEST:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever a notice runs into, it stops no mailing
        return unexpected(error)


def post(channel: Channel, notice: Notice) -> str | None:
    """Send JSON to a webhook. Returns the problem, or None."""
    import requests

    headers = {name: value.get_secret_value() for name, value in channel.headers.items()}
    try:
        with direct_session() as session:
            answer = session.post(channel.address, json=notice.as_json(), headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        # The text of the error contains the address.
        return type(error).__name__
    return None if answer.ok else f"it answers {answer.status_code}"


def pass_on(channel: Channel, notice: Notice) -> str | None:
    """Send by apprise. Returns the problem, or None."""
    import apprise

    # apprise logs the problem again, with the address.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    kinds = {"delivered": apprise.NotifyType.SUCCESS, "failed": apprise.NotifyType.FAILURE}
    sender = apprise.Apprise()
    if not sender.add(channel.address):
        return "apprise does not know this kind of URL"
    # Mails are HTML by default, in which lines would run into each other.
    with unproxied():
        kind = kinds.get(notice.kind, apprise.NotifyType.WARNING)
        sent = sender.notify(title=notice.title, body=notice.text, notify_type=kind, body_format=apprise.NotifyFormat.TEXT)
    return None if sent else "the channel could not be reached, or has refused the notice"


assert set(MEANS) == set(get_args(Kind))
