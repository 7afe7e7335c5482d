"""Recalls of delivered files in the ledger: who has asked the mail house to stop a file, and what it has answered.

A recall changes no state: the file was delivered. Its recall file is a side file of the run, with intents and a receipt.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from dmail_runner.core.values import Part
from dmail_runner.ledger.contents import joined, written
from dmail_runner.ledger.ledger import Ledger, of
from dmail_runner.ledger.run import ACCEPTED, ASKED, RECALLS, REFUSED, Run
from dmail_runner.ledger.tables import events, parts

KINDS: Mapping[str, str] = {word: kind for kind, word in RECALLS.items()}


def record_recall(ledger: Ledger, run: Run, files: Sequence[Part], detail: str) -> None:
    """Record that a recall is asked, with the files that ask for it, before the first of them leaves."""
    with ledger.writing() as connection:
        for part in files:
            connection.execute(parts.insert().values(run_id=run.run_id, **vars(part)))
        content = joined(*(written(connection, parts, of(run, part)) for part in files))
        ledger.record(connection, run.run_id, KINDS[ASKED], detail, content)


def record_answer(ledger: Ledger, run: Run, *, accepted: bool, detail: str) -> None:
    """Record the mail house's answer."""
    ledger.note(run, KINDS[ACCEPTED if accepted else REFUSED], detail)


def recalls(connection: sa.Connection) -> dict[str, str]:
    """The last word about the recall of each run that has one."""
    query = events.select().where(events.c.kind.in_(RECALLS)).order_by(events.c.number)
    return {row.run_id: RECALLS[row.kind] for row in connection.execute(query)}
