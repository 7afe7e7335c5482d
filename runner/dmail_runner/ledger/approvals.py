"""Approvals in the ledger. An approval is valid only if it has an event with the hash of its row."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dmail_runner.declare.policy import DUTIES, Duty
from dmail_runner.ledger.contents import written
from dmail_runner.ledger.database import Database, moment
from dmail_runner.ledger.journal import START, hash_of
from dmail_runner.ledger.tables import approvals, events

APPROVED = "approved"  # one person approves a definition
IN_FORCE = "in_force"  # a definition has all the approvals that it needs
POLICY = "policy"  # the policy of the definition that was approved last
ENTRIES = "duties"  # what the provider and the route of the definition that was approved last require
EVENT = re.compile(r"(?P<fingerprint>[0-9a-f]{64}) by (?P<by>.*?);(.*;)? row (?P<row>[0-9a-f]{64})", re.DOTALL)
EARLIER = re.compile(r"(?P<fingerprint>[0-9a-f]{64}) by (?P<by>.*), as .*", re.DOTALL)  # as earlier versions wrote it
SUBJECT = "ledger"  # what the event of a policy is about


@dataclass(frozen=True)
class Approval:
    """A person's approval of a definition.

    Attributes:
        at: when.
        by: the person: an approver of policy.yml, or an account if there is no list.
        fingerprint: of the definition.
        parts: the definition's texts, by name.
        account: the account that recorded it.
        key: the SSH public key, if it is signed.
        signature: the signature, if it is signed.
        after: the hash of the event of the definition that was in force before.
        note: the person's comment.
        revision: the git commit of the project.
        number: the number of its event.
    """

    at: datetime
    by: str
    fingerprint: str
    parts: Mapping[str, str]
    account: str | None = None
    key: str | None = None
    signature: str | None = None
    after: str | None = None
    note: str | None = None
    revision: str | None = None
    number: int = 0


@dataclass(frozen=True)
class InForce:
    """The definition of a campaign that has all the approvals that it needs.

    Attributes:
        fingerprint: of the definition; empty if an earlier version of the runner recorded the approval.
        duty: the approval that this definition requires of its successor; None for none.
        number: the number of its event.
        hash: the hash of its event.
    """

    fingerprint: str
    duty: Duty | None
    number: int
    hash: str


def in_force(ledger: Database, campaign: str) -> InForce | None:
    """The campaign's definition in force, by the newest event that says so."""
    with ledger.reading() as connection:
        for row in intact_events(connection, campaign, IN_FORCE):
            fingerprint, duty, *_ = row.detail.split(" ", 2)
            return InForce(fingerprint, duty if duty in DUTIES else None, row.number, row.hash)
        for row in intact_events(connection, campaign, APPROVED):
            if EARLIER.fullmatch(row.detail) and not EVENT.fullmatch(row.detail):
                return InForce("", "one", row.number, row.hash)
    return None


def approved_in(ledger: Database, target: str) -> set[str]:
    """The campaigns of which a definition with this dbt target has come into force."""
    query = sa.select(events.c.run_id).where(events.c.kind == IN_FORCE).distinct()
    with ledger.reading() as connection:
        names: Sequence[str] = connection.execute(query).scalars().all()
        return {name for name in names if any(is_for(row, target) for row in intact_events(connection, name, IN_FORCE))}


def is_for(row: Any, target: str) -> bool:
    """Whether the event of a definition in force names a dbt target. Those of earlier versions name none."""
    return bool(row.detail.split(" ", 2)[2:] == [target])


def policy_in_force(ledger: Database) -> str | None:
    """The policy of the definition that was approved last in this project, as JSON."""
    with ledger.reading() as connection:
        return next((row.detail for row in intact_events(connection, SUBJECT, POLICY)), None)


def entries_in_force(ledger: Database) -> dict[str, Duty | None]:
    """The approvals that providers and routes require, by name such as `route acme`, as approved definitions have them."""
    found: dict[str, Duty | None] = {}
    with ledger.reading() as connection:
        for row in reversed([*intact_events(connection, SUBJECT, ENTRIES)]):
            found |= json.loads(row.detail)
    return found


def read_approvals(ledger: Database, campaign: str, fingerprint: str | None = None) -> list[Approval]:
    """The approvals of a campaign that have an event, newest first; of one definition, if a fingerprint is given."""
    own = approvals.c.campaign == campaign
    condition = own if fingerprint is None else sa.and_(own, approvals.c.fingerprint == fingerprint)
    with ledger.reading() as connection:
        rows = connection.execute(approvals.select().where(condition).order_by(approvals.c.number)).all()
        by_digest = {row_digest(row): row for row in rows}
        earlier = {(row.fingerprint, row.by): row for row in rows if row.account is None}
        found = []
        for event in intact_events(connection, campaign, APPROVED):
            if new := EVENT.fullmatch(event.detail):
                row = by_digest.get(new["row"])
            else:
                old = EARLIER.fullmatch(event.detail)
                row = earlier.get((old["fingerprint"], old["by"])) if old else None
            if row is not None:
                found.append(approval_of(row, event.number))
    return found


def approval_events(ledger: Database) -> Iterator[tuple[str, str, str, str]]:
    """The campaign, the moment, the person and the fingerprint of each approval that has an event, newest first."""
    query = events.select().where(events.c.kind == APPROVED).order_by(events.c.number.desc())
    with ledger.reading() as connection:
        for row in connection.execute(query):
            if found := EVENT.fullmatch(row.detail) or EARLIER.fullmatch(row.detail):
                yield row.run_id, row.at, found["by"], found["fingerprint"]


def intact_events(connection: sa.Connection, subject: str, kind: str) -> Iterator[Any]:
    """The events of a kind about a subject, newest first. Events that differ from their hash are left out."""
    query = events.select().where(events.c.run_id == subject, events.c.kind == kind).order_by(events.c.number.desc())
    for row in connection.execute(query).all():
        before = sa.select(events.c.hash).where(events.c.number == row.number - 1)
        hash_before = START if row.number == 1 else connection.execute(before).scalar()
        if row.hash == hash_of(row, hash_before or START):
            yield row


def add_approval(ledger: Database, connection: sa.Connection, campaign: str, given: Approval) -> None:
    """Write an approval and its event, in the caller's transaction."""
    values = {
        name: getattr(given, name) for name in ("by", "fingerprint", "account", "key", "signature", "after", "note", "revision")
    }
    line = {**values, "campaign": campaign, "at": ledger.stamp(), "content": json.dumps(dict(given.parts))}
    number = connection.execute(approvals.insert().values(**line)).inserted_primary_key
    assert number is not None
    row = connection.execute(approvals.select().where(approvals.c.number == number[0])).one()
    how = [f"{given.fingerprint} by {given.by}", f"account {given.account}", "signed" if given.signature else ""]
    how += [f"note: {given.note}" if given.note else "", f"row {row_digest(row)}"]
    content = written(connection, approvals, approvals.c.number == number[0])
    ledger.record(connection, campaign, APPROVED, "; ".join(filter(None, how)), content)


def row_digest(row: Any) -> str:
    """The SHA-256 of a row of the approvals, without its number."""
    values = {name: value for name, value in row._mapping.items() if name != "number"}  # noqa: SLF001 - SQLAlchemy's public name
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def approval_of(row: Any, number: int) -> Approval:
    at = moment(row.at)
    assert at is not None
    names = ("by", "fingerprint", "account", "key", "signature", "after", "note", "revision")
    return Approval(at=at, parts=json.loads(row.content), number=number, **{name: getattr(row, name) for name in names})
