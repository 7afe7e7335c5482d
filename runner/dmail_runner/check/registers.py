"""The gate `registers`: people in a country are mailed only with fresh copies of the registers that are required there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held, Problem
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import COUNTRY, Campaign
from dmail_runner.declare.policy import FILE as POLICY
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.register import Register, SuppressionList
from dmail_runner.declare.schedule import format_span
from dmail_runner.extract.rows import people_query
from dmail_runner.project.warehouse import quote

HOLD = "registers"
AHEAD = timedelta(days=1)  # times further in the future are errors of the data


@dataclass(frozen=True)
class Copy:
    """What is known about a suppression list that is a copy of a register.

    Attributes:
        declared: the list.
        as_of: the time of its newest entry, in UTC; None if no entry has a time.
        entries: the number of entries.
    """

    declared: SuppressionList
    as_of: datetime | None = None
    entries: int = 0


@dataclass(frozen=True)
class Findings:
    """What is wrong with the registers of a file.

    Attributes:
        held: what holds the run.
        noted: what does not.
    """

    held: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)


def register_faults(campaign: Campaign, policy: Policy) -> Iterator[Problem]:
    """The errors of a campaign's registers that are known before anything is built."""
    key = f"exposures.{campaign.name}.config.meta.direct_mail"
    known = sorted({register.id for register in campaign.registers})
    for name in campaign.mail.exempt_from:
        if name not in known:
            yield Problem(campaign.file, f"{key}.exempt_from.{name}", "is no register", ", ".join(known))
    if not asks(campaign, policy):
        return
    if policy.require_registers and not campaign.registers:
        yield Problem(POLICY, "require_registers", "no seed has the role registers", "the seed `registers` of the dbt package")
    if COUNTRY not in {column.name for column in campaign.columns}:
        what = f"has no {COUNTRY}, by which the registers of a country are chosen; `export: false` keeps it out of the file"
        yield Problem(campaign.contract, "columns", what)


def asks(campaign: Campaign, policy: Policy) -> bool:
    """Whether registers count for a campaign: the policy requires them, or a list is a copy of one."""
    copies = any(entry.register_id for entry in campaign.lists)
    return campaign.mail.purpose == "marketing" and (policy.require_registers is not None or copies)


def check_registers(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, policy: Policy
) -> tuple[str, ...]:
    """Check that each register of the countries in the file has a fresh copy among the suppression lists.

    A list counts as a copy if it declares the `register`. All lists suppress, because the opt-out gate applies all of them.

    Returns:
        What is wrong and does not hold the run.

    Raises:
        Held: if a register is missing that the policy requires, or a declared copy is too old or has no licence.
    """
    if not asks(campaign, policy) or build.suppressions is None:
        return ()
    moment = datetime.fromisoformat(build.as_of)
    people, copies = people_by_country(connection, build, verdicts, campaign), read_copies(connection, build, campaign)
    found = findings(people, copies, campaign, policy, moment)
    if found.held:
        raise Held(
            HOLD,
            f"{campaign.name}: {'; '.join(found.held)}: nothing was delivered",
            todo="load the register into the model with the role suppressions and declare it in `lists`, then "
            "`dmail-runner resume RUN`; if the campaign need not consult it, say why in `exempt_from` (docs/howto/registers.md)",
        )
    return tuple(found.noted)


def people_by_country(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign
) -> dict[str, int]:
    """The number of people in the file in each country."""
    rows = people_query(build, verdicts, campaign)
    query = f"select coalesce(upper(trim({quote(COUNTRY)})), ''), count(*) from ({rows}) as people group by all order by all"
    return dict(connection.execute(query).fetchall())


def read_copies(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> list[Copy]:
    """The suppression lists that are copies of registers, with the time of each."""
    latest = f"timestamp '{build.as_of}' + interval {AHEAD.days} day"
    newest = f"max(cast(as_of as timestamp)) filter (as_of <= {latest})"
    query = f"select list_name, {newest}, count(*) from {build.suppressions} group by list_name"
    there = {name: (as_of, entries) for name, as_of, entries in connection.execute(query).fetchall()}
    return [Copy(entry, *there.get(entry.name, (None, 0))) for entry in campaign.lists if entry.register_id]


def findings(people: Mapping[str, int], copies: Iterable[Copy], campaign: Campaign, policy: Policy, moment: datetime) -> Findings:
    """What is wrong with the registers of the countries in a file.

    Args:
        people: the number of people by country.
        copies: the lists that are copies of registers.
        moment: the time at which the copies must be fresh, in UTC.
    """
    found = Findings()
    if policy.require_registers and (unknown := people.get("")):
        found.held.append(f"{counted(unknown, 'person', 'people')} without a country, so that no register can be chosen")
    for register in applying(people, campaign):
        own = [copy for copy in copies if copy.declared.register_id == register.id]
        faults = [fault for copy in own if (fault := copy_fault(copy, register, moment))]
        where = f"{counted(people[register.country], 'person', 'people')} in {register.country}"
        by = "law requires" if register.level == "required" else "the trade recommends"
        if own and len(faults) == len(own):
            found.held.append(f"{where}: {faults[0]}")
        elif not own:
            wanted = policy.require_registers in {"recommended", register.level}
            text = f"{where}: {by} {register.id} ({register.name}), which no list is a copy of"
            (found.held if wanted else found.noted).append(text)
    return found


def applying(countries: Iterable[str], campaign: Campaign) -> Iterator[Register]:
    """The registers that a campaign to some countries must consult or should."""
    there, basis = set(countries), campaign.mail.legal_basis
    for register in campaign.registers:
        if register.country in there and basis not in register.lifted_by and register.id not in campaign.mail.exempt_from:
            yield register


def copy_fault(copy: Copy, register: Register, moment: datetime) -> str | None:
    """What is wrong with a copy of a register; None if it is fresh."""
    name, until = f"the list {copy.declared.name} ({register.id})", copy.declared.licensed_until
    if until is not None and moment.date() > until:
        return f"the licence of {name} has ended on {until}"
    if not copy.entries:
        return f"{name} is missing or empty"
    limits = [limit for limit in (copy.declared.max_age, register.max_age) if limit is not None]
    if not limits:
        return None
    if copy.as_of is None:
        return f"{name} has no entry with a time in as_of"
    if moment - copy.as_of > min(limits):
        return f"{name} is of {copy.as_of:%Y-%m-%d}, more than {format_span(min(limits))} ago"
    return None
