"""SQL for the rows of the extraction file and their order."""

from dmail_runner.core.values import IDENTICAL, Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.declare.sort_key import SortKey
from dmail_runner.extract.format_sql import Format, select_list
from dmail_runner.project.warehouse import printed, quote


def copy_query(build: Build, verdicts: Verdicts, campaign: Campaign, file_format: Format) -> str:
    """SQL for the records of the file, in order."""
    rows = rows_query(build, verdicts, campaign)
    return f"select {select_list(campaign, file_format)} from ({rows}) as rows order by {order_by(campaign)}"


def order_by(campaign: Campaign) -> str:
    """The ORDER BY list of a relation named `rows`. The key is last, so that the order is total."""
    seeds = {"mixed": [], "first": [f"rows.{SEED} desc"], "last": [f"rows.{SEED}"]}[campaign.mail.file.seeds]
    # Names are qualified, because a bare name would refer to an alias: the label of another column may be the same.
    keys = [f"{compared(key)} {key.order} nulls {key.nulls}" for key in campaign.mail.file.sort_by]
    return ", ".join([*seeds, *keys, f"rows.{quote(KEY)}"])


def compared(key: SortKey) -> str:
    """SQL for a column of the relation `rows` as it is compared: by bytes, or as text by its collation."""
    column = f"rows.{quote(key.column)}"
    return f"cast({column} as varchar) collate {key.collation}" if key.collation else column


def rows_query(build: Build, verdicts: Verdicts, campaign: Campaign) -> str:
    """SQL for the printed rows of the extract. If several recipients have identical printed rows, only the first is included."""
    rows = f"select * from {build.extract}"
    if IDENTICAL not in verdicts.excluded:
        return rows
    printed_columns = [printed(column.name) for column in campaign.exported]
    seed = quote(SEED) if campaign.has_seeds else "false"
    same = ", ".join([seed, *printed_columns])
    return f"{rows} qualify {seed} or row_number() over (partition by {same} order by {quote(KEY)}) = 1"


def people_query(build: Build, verdicts: Verdicts, campaign: Campaign) -> str:
    """SQL for the printed rows of the extract, without seed addresses."""
    rows = rows_query(build, verdicts, campaign)
    return f"select * from ({rows}) where not coalesce({quote(SEED)}, false)" if campaign.has_seeds else rows
