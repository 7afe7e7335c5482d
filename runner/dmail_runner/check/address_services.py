"""The gate `address_services`: the addresses in a file were checked by the services of their country, not too long ago."""

from collections.abc import Collection, Iterator

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held, Problem
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import COUNTRY, KEY, Campaign
from dmail_runner.declare.inbound import FILE as INBOUND
from dmail_runner.declare.policy import FILE as POLICY
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.schedule import format_span
from dmail_runner.extract.rows import people_query
from dmail_runner.project.warehouse import literal, quote

HOLD = "address_services"


def service_faults(campaign: Campaign, policy: Policy, asking: Collection[str]) -> Iterator[Problem]:
    """The errors of required services that are known before anything is built. `asking`: the entries with `requests`."""
    for country, services in policy.address_services.items():
        for name in services:
            if name not in asking:
                what = f"{INBOUND} has no entry {name} with `requests`"
                yield Problem(POLICY, f"address_services.{country}.{name}", what, ", ".join(sorted(asking)) or None)
    if policy.address_services and COUNTRY not in {column.name for column in campaign.columns}:
        what = f"has no {COUNTRY}, by which address services are required; `export: false` keeps it out of the file"
        yield Problem(campaign.contract, "columns", what)


def check_address_services(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, policy: Policy
) -> None:
    """Check that the required services have answered for each person in the file, not longer ago than allowed.

    An answer counts for the name and the address that the person has now: see the model with the role `address_services`.

    Raises:
        Held: if somebody has no such answer. A person may accept it.
    """
    if not policy.address_services:
        return
    faults = list(unanswered(connection, build, verdicts, campaign, policy))
    if faults:
        raise Held(
            HOLD,
            f"{campaign.name}: {'; '.join(faults)}: nothing was delivered",
            todo="dmail-runner addresses export ENTRY, then addresses fetch ENTRY and `dmail-runner resume RUN`; "
            "or dmail-runner release RUN --reason ...",
        )


def unanswered(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, policy: Policy
) -> Iterator[str]:
    """The people without an answer, by country and service, as texts."""
    rows, key = people_query(build, verdicts, campaign), quote(KEY)
    for country, services in policy.address_services.items():
        people = f"(select {key} from ({rows}) where upper(trim({quote(COUNTRY)})) = {literal(country)})"
        for name, span in services.items():
            oldest = f"timestamp '{build.as_of}' - interval {int(span.total_seconds())} second"
            relation = build.address_services or f"(select null::varchar as {key}, null as entry, null::timestamp as answered_at)"
            answers = f"select {key} from {relation} where entry = {literal(name)} and answered_at >= {oldest}"
            query = f"select count(*) from {people} as people anti join ({answers}) as answers using ({key})"
            (count,) = connection.execute(query).fetchone() or (0,)
            if count:
                unread = "" if build.address_services else ", whose answers no rule of the campaign reads"
                who = counted(count, "person", "people")
                yield f"{who} in {country}: no answer of {name} in the last {format_span(span)}{unread}"
