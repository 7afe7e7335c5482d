"""What is unusual about a file, as notes for the run's summary."""

from collections.abc import Iterator
from contextlib import suppress

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import KEY, Campaign
from dmail_runner.project.warehouse import quote

INCOMPLETE = "incomplete_address"  # the reason of deliverable() for several problems of an address
MANY = 0.1  # the share of people with incomplete addresses that is unusual


def verdict_notes(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign) -> Iterator[str]:
    """Why nobody is included: the reason that excludes most people, and the most frequent problem of their addresses.

    Also what is wrong with many addresses, because one mistake of the mapping may be the reason for all of them.
    """
    if verdicts.included:
        count = verdicts.excluded.get(INCOMPLETE, 0)
        if count > MANY * verdicts.targeted and (problem := worst_problem(connection, build, campaign)):
            yield f"{INCOMPLETE} excludes {count:,} of {counted(verdicts.targeted, 'person', 'people')}, {problem}"
        return
    if not verdicts.targeted:
        yield "nobody is included: the audience is empty"
        return
    reason, count = max(verdicts.excluded.items(), key=lambda item: item[1])
    people = counted(verdicts.targeted, "person", "people")
    problem = worst_problem(connection, build, campaign) if reason == INCOMPLETE else None
    yield f"nobody is included: {reason} excludes {count:,} of {people}" + (f", {problem}" if problem else "")


def worst_problem(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> str | None:
    """The most frequent problem of incomplete addresses, with its number; None if the audience does not have the problems."""
    recipients, audience = (quote(node.split(".")[-1]) for node in (campaign.recipients, campaign.audience))
    if not build.recipients.endswith(recipients):
        return None
    query = f"""
        select address_problem, count(*)
        from {build.recipients.removesuffix(recipients)}{audience}
        semi join (select * from {build.recipients} where exclusion_reason = '{INCOMPLETE}') using ({quote(KEY)})
        where address_problem is not null
        group by all
        order by all desc
    """
    # A project's audience may have no column of that name.
    with suppress(duckdb.Error):
        found = connection.execute(query).fetchall()
        if found:
            problem, count = max(found, key=lambda row: row[1])
            return f"most often because of: {problem} ({count:,})"
    return None


def seed_note(before: Verdicts, after: Verdicts) -> Iterator[str]:
    """The seed addresses that the provider's contract has taken out of the file."""
    if missing := before.seeds - after.seeds:
        rows = counted(missing, "seed address is", "seed addresses are")
        yield f"{rows} not in the file: {'its row breaks' if missing == 1 else 'their rows break'} the provider's contract"
