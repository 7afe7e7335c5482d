"""What mail houses have billed: the amounts of invoices, by run, and those that name only a campaign."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dmail_runner.core.settings import Settings
from dmail_runner.inbound.acknowledged import NEWEST, names_of
from dmail_runner.inbound.stored import session
from dmail_runner.project.warehouse import literal

AMOUNT = "coalesce(amount, coalesce(production, 0) + coalesce(postage, 0))"


@dataclass(frozen=True)
class Billed:
    """The invoices of a run.

    Attributes:
        amount: the sum of their lines.
        production: the part of it that is named as production; None if no line names any.
        postage: the part of it that is named as postage; None if no line names any.
        whole: whether a line names neither, so that it may be for both.
        currencies: the currencies of the lines.
    """

    amount: Decimal
    production: Decimal | None = None
    postage: Decimal | None = None
    whole: bool = False
    currencies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CampaignBill:
    """A line of an invoice that names a campaign and no run. `at`: its time in UTC; None if it has none."""

    campaign: str
    at: datetime | None
    amount: Decimal
    currency: str | None


def rows(settings: Settings) -> str | None:
    """SQL for the lines of invoices with an amount, as the last file of each has them; None if there are no files."""
    files = sorted(settings.inbound_dir.glob("invoice/*.parquet"))
    if not files:
        return None
    source = f"read_parquet([{', '.join(literal(str(file)) for file in files)}])"
    newest = f"select * from {source} {NEWEST.format(keys='invoice_id')}"
    return f"select * from ({newest}) as lines where coalesce(amount, production, postage) is not null"


def billed(settings: Settings, runs: Mapping[str, Iterable[str]]) -> dict[str, Billed]:
    """What was billed for some runs, by run. `runs`: the names of the delivered files of each run."""
    lines = rows(settings)
    if lines is None or not runs:
        return {}
    with session() as connection:
        names = [(run_id, name) for run_id, files in runs.items() for name in names_of(run_id, files)]
        connection.execute("create temp table names (run_id varchar, name varchar)")
        connection.executemany("insert into names values (?, ?)", names)
        query = f"""
            select
                names.run_id, sum({AMOUNT}), sum(production), sum(postage),
                bool_or(production is null and postage is null), list(distinct upper(trim(currency)))
            from ({lines}) as bills inner join names on names.name = coalesce(bills.run_id, bills.file_name)
            group by all
        """
        return {
            run_id: Billed(amount, production, postage, whole, frozenset(filter(None, currencies)))
            for run_id, amount, production, postage, whole, currencies in connection.execute(query).fetchall()
        }


def campaign_bills(settings: Settings) -> list[CampaignBill]:
    """The lines of invoices that name a campaign, and neither a run nor a file."""
    lines = rows(settings)
    if lines is None:
        return []
    with session() as connection:
        query = f"""
            select campaign, happened_at, {AMOUNT}, upper(trim(currency)) from ({lines}) as bills
            where campaign is not null and run_id is null and file_name is null
        """
        return [CampaignBill(*row) for row in connection.execute(query).fetchall()]
