"""Compares the file that a slot would give with the campaign's last one."""

from collections.abc import Mapping
from dataclasses import dataclass

from dmail_runner import history
from dmail_runner.core.errors import Held, UsageError
from dmail_runner.run.checked import checked
from dmail_runner.run.job import Job
from dmail_runner.run.order import Last, Order


@dataclass(frozen=True)
class Difference:
    """The difference between two files, as numbers of people.

    Attributes:
        last: the run with the last file.
        added: people who are only in the new file.
        removed: people who are only in the last file, by the reason why they are not in the new one.
        changed: people whose row differs; None if the last run recorded no hashes of its rows.
        unchanged: people whose row is the same; all who are in both files if `changed` is None.
        people: some of these people, as (profile_id, what, reason).
        holds: the gates that would hold a run of the new file, each with what it has found.
    """

    last: Last
    added: int
    removed: Mapping[str, int]
    changed: int | None
    unchanged: int
    people: tuple[tuple[str, str, str], ...]
    holds: tuple[str, ...] = ()


def difference(job: Job, order: Order, people: int) -> Difference:
    """Build and check a slot, and compare it with the last file, also if a gate would hold it. Nothing is recorded.

    Args:
        job: the campaign's job.
        order: the order of the run.
        people: the number of people to name.

    Raises:
        UsageError: if the campaign has no settled run before the slot.
        BuildError, ExtractError: as a run raises them.
    """
    last = order.last
    if last is None or last.contacts is None:
        raise UsageError(
            f"{job.campaign.name} has no delivered run before this slot to compare with",
            todo="dmail-runner preview shows the file",
        )
    holds: list[Held] = []
    with checked(job, order, held=holds.append) as found:
        rows = history.row_hash_query(found.relations, found.verdicts, job.campaign)
        counts, listed = history.compare(found.connection, rows, found.relations.recipients, last.contacts, people)
    return Difference(
        last,
        added=counts.pop(("added", ""), 0),
        changed=counts.pop(("changed", ""), 0) if history.has_row_hashes(last.contacts) else None,
        unchanged=counts.pop(("unchanged", ""), 0),
        removed={reason: count for (_, reason), count in counts.items()},
        people=tuple(listed),
        holds=tuple(f"{hold.hold}: {hold.what}" for hold in holds),
    )
