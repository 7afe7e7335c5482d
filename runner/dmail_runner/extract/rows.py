"""The rows of the extraction file as SQL: which are printed, and in which order."""

from dmail_runner.core.values import IDENTICAL, Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.extract.format_sql import Format, select_list
from dmail_runner.project.warehouse import printed, quote


def copy_query(build: Build, verdicts: Verdicts, campaign: Campaign, form: Format) -> str:
    """The records in their total order."""
    rows = rows_query(build, verdicts, campaign)
    return f"select {select_list(campaign, form)} from ({rows}) as rows order by {order_by(campaign)}"


def order_by(campaign: Campaign) -> str:
    """The file's total order, of a relation called `rows`."""
    place = {"mixed": [], "first": [f"rows.{SEED} desc"], "last": [f"rows.{SEED}"]}[campaign.mail.file.seeds]
    # By the relation's columns: a bare name would mean the label that some other column may bear.
    keys = [f"rows.{quote(key.column)} {key.order} nulls {key.nulls}" for key in campaign.mail.file.sort_by]
    return ", ".join([*place, *keys, f"rows.{quote(KEY)}"])


def rows_query(build: Build, verdicts: Verdicts, campaign: Campaign) -> str:
    """The extract's rows that are printed: of recipients' rows that would look alike, the first."""
    rows = f"select * from {build.extract}"
    if IDENTICAL not in verdicts.excluded:
        return rows
    alike = [printed(column.name) for column in campaign.exported]
    seed = [quote(SEED)] if campaign.has_seeds else ["false"]
    return f"{rows} qualify {seed[0]} or row_number() over (partition by {', '.join(seed + alike)} order by {quote(KEY)}) = 1"


def people(build: Build, verdicts: Verdicts, campaign: Campaign) -> str:
    """SQL for the extract's rows that are printed, without seeds."""
    rows = rows_query(build, verdicts, campaign)
    return f"select * from ({rows}) where not coalesce({quote(SEED)}, false)" if campaign.has_seeds else rows
