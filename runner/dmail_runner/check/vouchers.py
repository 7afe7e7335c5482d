"""Checks the voucher codes of a file against the pools and the contact history, independently of the project's SQL."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, VOUCHER, VOUCHER_POOL, Campaign
from dmail_runner.extract.rows import people_query
from dmail_runner.project.warehouse import literal, quote

HOLD = "vouchers"
PIECES, CODES, GIVEN = "dmail_voucher_pieces", "dmail_voucher_codes", "dmail_voucher_given"  # temporary tables


@dataclass(frozen=True)
class PoolFigures:
    """A pool of voucher codes.

    Attributes:
        name: the pool.
        pieces: the pieces of the file that are to have a code of it.
        missing: the number of them that have none.
        left: the number of valid codes that no piece has, not counting this file's.
    """

    name: str
    pieces: int
    missing: int
    left: int

    def __str__(self) -> str:
        left = f"{counted(self.left, 'code is', 'codes are')} left"
        low = ", fewer than this file has" if self.left < self.pieces else ""
        return f"vouchers of {one_line(self.name)}: {counted(self.pieces, 'piece')}, {left}{low}"


def check_vouchers(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, *, slot: str, given: str
) -> tuple[PoolFigures, ...]:
    """Check that each piece has a code of its own.

    Args:
        connection: the session.
        build: the campaign's relations.
        verdicts: the figures of the file.
        campaign: the campaign.
        slot: the slot, a SQL timestamp in UTC.
        given: SQL for the codes that pieces have by the contact history, in parentheses.

    Returns:
        The figures of each pool that the file uses.

    Raises:
        Held: if a piece lacks a code, or has one that is not of its pool or that another piece has. It cannot be released.
    """
    if build.vouchers is None:
        return ()
    create_tables(connection, build, verdicts, campaign, slot=slot, given=given)
    pools = tuple(pool_figures(connection))
    if short := [pool for pool in pools if pool.missing]:
        found = "; ".join(f"{pool.missing:,} of {counted(pool.pieces, 'piece')} of {one_line(pool.name)}" for pool in short)
        raise Held(
            HOLD,
            f"{campaign.name}: there are too few voucher codes, and no code is left for {found}: nothing was made",
            todo="add codes to the pool, then `dmail-runner resume RUN`; a run that is cancelled gives its codes back",
        )
    if faults := list(code_faults(connection, build, campaign, slot)):
        raise Held(
            HOLD,
            f"{campaign.name}: the file has {'; '.join(faults)}: nothing was made",
            todo=f"select {VOUCHER} and {VOUCHER_POOL} as vouchers() returns them, then `dmail-runner resume RUN`",
        )
    return pools


def create_tables(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, *, slot: str, given: str
) -> None:
    """Create temporary tables: the codes that pieces have by the contact history, the file's pieces, and the codes of all pools.

    `own` of a piece is the code that it has by the contact history. `is_given` of a code says whether a piece has it.
    """
    key, code = quote(KEY), quote(VOUCHER)
    connection.execute(
        f"create or replace temp table {GIVEN} as select distinct campaign, slot, {KEY}, {VOUCHER} from {given} as given"
    )
    own = (
        f"select {KEY}, max({VOUCHER}) as own from {GIVEN} "
        f"where campaign = {literal(campaign.name)} and slot = timestamp {literal(slot)} group by {KEY}"
    )
    connection.execute(
        f"""
        create or replace temp table {PIECES} as
        select {key}, {code} as code, {quote(VOUCHER_POOL)} as pool, own
        from ({people_query(build, verdicts, campaign)}) as file left join ({own}) as own using ({key})
        """
    )
    connection.execute(
        f"""
        create or replace temp table {CODES} as
        select code, pool, valid, given.{VOUCHER} is not null as is_given
        from (
            select trim(code) as code, min(pool) as pool,
                bool_or(coalesce(valid_until > timestamp {literal(slot)}, true)) as valid
            from {build.vouchers} where trim(code) <> '' group by all
        ) as codes
        left join (select distinct {VOUCHER} from {GIVEN}) as given on codes.code = given.{VOUCHER}
        """
    )


def pool_figures(connection: duckdb.DuckDBPyConnection) -> Iterator[PoolFigures]:
    """The figures of each pool that the file uses, by name."""
    rows = connection.execute(
        f"""
        with
            pieces as (
                select pool, count(*) as pieces, count(*) filter (code is null) as missing from {PIECES}
                where pool is not null group by pool
            ),
            remaining as (
                select pool, count(*) as codes from {CODES} anti join {PIECES} using (code)
                where valid and not is_given group by pool
            )
        select pool, pieces, missing, coalesce(codes, 0) from pieces left join remaining using (pool) order by pool
        """
    ).fetchall()
    return (PoolFigures(*row) for row in rows)


def code_faults(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, slot: str) -> Iterator[str]:
    """What is wrong with the codes of the file."""
    same = f"campaign = {literal(campaign.name)} and slot = timestamp {literal(slot)} and given.{KEY} = pieces.{quote(KEY)}"
    others = f"select 1 from {GIVEN} as given where given.{VOUCHER} = pieces.code and not ({same})"
    listed = f"select 1 from {CODES} as codes where codes.code = pieces.code and codes.pool = pieces.pool"
    missing = f"code is not null and (pool is null or code is distinct from own and not exists ({listed}))"
    queries = {
        "whose code another piece of it has": f"select count(code) - count(distinct code) from {PIECES}",
        "whose code a mailed piece has": f"select count(*) from {PIECES} as pieces where exists ({others})",
        "whose code is not in the piece's pool": f"select count(*) from {PIECES} as pieces where {missing}",
    }
    for fault, query in queries.items():
        (count,) = connection.execute(query).fetchone() or (0,)
        if count:
            yield f"{counted(count, 'piece')} {fault}"
    if campaign.has_seeds:
        seeds = f"select {quote(VOUCHER)} as code from {build.extract} where {quote(SEED)}"
        (count,) = connection.execute(f"select count(*) from ({seeds}) semi join {CODES} using (code)").fetchone() or (0,)
        if count:
            yield f"{counted(count, 'seed address', 'seed addresses')} with a code of a pool"
