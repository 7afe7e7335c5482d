"""The extraction file: DuckDB writes the rows into a pipe, and what comes out is counted, hashed and put into the spool."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import duckdb

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import Build, Load, Verdicts, Watch, nobody_watches
from dmail_runner.declare.campaign import KEY, Campaign
from dmail_runner.extract.encoder import Unprintable
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.format_sql import Format, copy_options, misfits
from dmail_runner.extract.part_file import Content
from dmail_runner.extract.parts import Finished, Oversized, PartWriter, nothing
from dmail_runner.extract.pipe import copy_through_pipe
from dmail_runner.extract.rows import copy_query, order_by, rows_query
from dmail_runner.project.warehouse import literal, printed, quote


def extract(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    verdicts: Verdicts,
    envelope: Envelope,
    folder: Path | None,
    *,
    finished: Finished = nothing,
    watch: Watch = nobody_watches,
) -> list[Content]:
    """Write the extraction file, or its parts, into `folder`, new and synced, for this user alone; with no folder only count.

    Raises ExtractError where they are not whole, or the format cannot hold a value; nothing is left in the folder then.
    """
    campaign, form = envelope.campaign, envelope.provider.format
    check_values(connection, build, campaign, form)
    query = copy_query(build, verdicts, campaign, form)
    expected = verdicts.included + verdicts.seeds
    writer: PartWriter | None = None
    try:
        writer = PartWriter(envelope, expected, folder, finished)
        take = counted(writer, watch(Load(envelope.base_name(), expected, "rows")))
        copied = copy_through_pipe(connection, query, copy_options(form), take)
        contents = writer.close()
        if not (copied == writer.rows == sum(content.rows for content in contents) == expected):
            raise ExtractError(
                f"{campaign.name}: {expected:,} rows were to be written, DuckDB reports {copied:,}, "
                f"and the files hold {writer.rows:,}: they are not used"
            )
    except BaseException as error:
        if writer:
            writer.abandon()
        if isinstance(error, OSError):
            raise ExtractError(
                f"the extraction file of {campaign.name} cannot be written to {folder}: {error.strerror}"
            ) from None
        if isinstance(error, Unprintable):
            raise unprintable(connection, build, envelope, error.character) from None
        if isinstance(error, Oversized) and writer:
            raise oversized(connection, rows_query(build, verdicts, campaign), envelope, writer.rows) from None
        raise
    return contents


def counted(writer: PartWriter, told: Callable[[int], None]) -> Callable[[bytes], None]:
    """What takes chunks, and tells of the rows in them."""

    def take(chunk: bytes) -> None:
        before = writer.rows
        writer.take(chunk)
        told(writer.rows - before)

    return take


def check_values(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, form: Format) -> None:
    """Raises ExtractError with every kind of value that the format cannot hold, how often, and whose one is."""
    faults = list(misfits(campaign, form))
    if not faults:
        return
    looks = ", ".join(f"count(*) filter ({wrong}), min({quote(KEY)}) filter ({wrong})" for _, wrong, _ in faults)
    found = connection.execute(f"select {looks} from {build.extract}").fetchone() or ()
    told = [
        f"{column.name}: {found[2 * place]:,} values have {what}, such as that of {KEY} {found[2 * place + 1]}"
        for place, (column, _, what) in enumerate(faults)
        if found[2 * place]
    ]
    if told:
        raise ExtractError(
            f"{campaign.name} has values that a {form.type} file cannot hold:\n  " + "\n  ".join(told),
            todo="nothing is cut by itself: shorten or clean them in the extract, with a format macro",
        )


def unprintable(connection: duckdb.DuckDBPyConnection, build: Build, envelope: Envelope, character: str) -> ExtractError:
    """The error for a character that the encoding lacks, with the profile and the column that have it."""
    campaign, form = envelope.campaign, envelope.provider.format
    name = f"{character!r} (U+{ord(character):04X}, {unicodedata.name(character, 'no name')})"
    for column in campaign.exported:
        has = f"contains({printed(column.name)}, {literal(character)})"
        count, first = connection.execute(f"select count(*), min({quote(KEY)}) from {build.extract} where {has}").fetchone() or (
            0,
            None,
        )
        if count:
            return ExtractError(
                f"{campaign.name}: {form.encoding} has no {name}; {count:,} values of {column.name} hold it, "
                f"such as that of {KEY} {first}",
                todo="print it otherwise in the extract, such as by to_ascii(), or give the provider another `encoding`",
            )
    return ExtractError(f"{campaign.name}: {form.encoding} has no {name}, which stands in a label, a note or a control record")


def oversized(connection: duckdb.DuckDBPyConnection, rows: str, envelope: Envelope, written: int) -> ExtractError:
    """The error for the record that comes after those that were written."""
    order = order_by(envelope.campaign)
    query = f"select rows.{quote(KEY)} from ({rows}) as rows order by {order} limit 1 offset {written}"
    (key,) = connection.execute(query).fetchone() or (None,)
    split = envelope.provider.split
    most = f"at most {split.size if split else 0:,} bytes"
    return ExtractError(f"{envelope.campaign.name}: the record of {KEY} {key} is larger than a part of {most}")
