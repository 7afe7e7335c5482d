"""What a slot's file would change against the campaign's last one: who comes, who goes and why, whose piece reads otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass

from dmail_runner import history
from dmail_runner.core.errors import UsageError
from dmail_runner.run.checked import checked
from dmail_runner.run.job import Job
from dmail_runner.run.order import Last, Order


@dataclass(frozen=True)
class Difference:
    """Numbers of people: `removed` by the reason for which they are out now. `changed` is None where the last run kept no looks.

    `people`: some of them, as (profile_id, what, reason).
    """

    last: Last
    added: int
    removed: Mapping[str, int]
    changed: int | None
    unchanged: int
    people: tuple[tuple[str, str, str], ...]


def difference(job: Job, order: Order, people: int) -> Difference:
    """Build and check a slot, record nothing, and compare. Raises UsageError where there is no last file."""
    last = order.last
    if last is None or last.contacts is None:
        raise UsageError(
            f"{job.campaign.name} has no settled run before this slot to compare with", todo="dmail-runner preview shows the file"
        )
    with checked(job, order) as found:
        now = history.row_hash_query(found.relations, found.verdicts, job.campaign)
        counts, listed = history.compare(found.connection, now, found.relations.recipients, last.contacts, people)
    return Difference(
        last,
        added=counts.pop(("added", ""), 0),
        changed=counts.pop(("changed", ""), 0) if history.has_row_hashes(last.contacts) else None,
        unchanged=counts.pop(("unchanged", ""), 0),
        removed={reason: count for (_, reason), count in counts.items()},
        people=tuple(listed),
    )
