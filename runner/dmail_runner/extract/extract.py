"""Writes the extraction file: DuckDB writes the rows into a pipe, and the parts are written, counted and hashed from there."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.redact import one_line
from dmail_runner.core.transfer import Transfer, Watch, ignore_progress
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import KEY, Campaign
from dmail_runner.extract.encoder import Unprintable
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.format_sql import Format, copy_options, value_faults
from dmail_runner.extract.missing import lacks, missing_characters, named
from dmail_runner.extract.part_file import Content
from dmail_runner.extract.parts import OnPart, Oversized, PartWriter, ignore_part
from dmail_runner.extract.pipe import copy_through_pipe
from dmail_runner.extract.rows import copy_query, order_by, rows_query
from dmail_runner.project.warehouse import quote


def extract(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    verdicts: Verdicts,
    envelope: Envelope,
    folder: Path | None,
    *,
    on_part: OnPart = ignore_part,
    watch: Watch = ignore_progress,
) -> list[Content]:
    """Write the extraction file in one or more parts.

    Args:
        connection: a session on the warehouse.
        build: the relations of the run.
        verdicts: the figures of the run, which the number of written rows must match.
        envelope: the names and texts of the files.
        folder: the folder for the parts, which are synced and readable by this user only. None counts without writing files.
        on_part: called with the number and the content of each part when it is complete.
        watch: shows the progress.

    Returns:
        What each part contains, in order.

    Raises:
        ExtractError: if a part cannot be written, the number of rows is wrong, or a value does not fit the format. The folder has
            no parts then.
    """
    campaign, file_format = envelope.campaign, envelope.provider.format
    check_values(connection, build, campaign, file_format)
    query = copy_query(build, verdicts, campaign, file_format)
    try:
        writer = PartWriter(envelope, verdicts.included + verdicts.seeds, folder, on_part)
        return write_parts(connection, query, writer, watch)
    except OSError as error:
        text = f"the extraction file of {campaign.name} cannot be written to {folder}: {error.strerror}"
        raise ExtractError(text) from None
    except Unprintable as error:
        raise unprintable_error(connection, build, envelope, error.character) from None
    except Oversized as error:
        raise oversized_error(connection, rows_query(build, verdicts, campaign), envelope, error.written) from None


def write_parts(connection: duckdb.DuckDBPyConnection, query: str, writer: PartWriter, watch: Watch) -> list[Content]:
    """Copy the rows of a query into parts, and delete the parts if that fails.

    Raises:
        ExtractError: if COPY fails or the number of rows is wrong.
        OSError: if a part cannot be written.
        Unprintable: if a character is not in the encoding.
        Oversized: if a record is larger than a part may be.
    """
    envelope, expected = writer.envelope, writer.total
    try:
        take = with_progress(writer, watch(Transfer(envelope.base_name(), expected, "rows")))
        copied = copy_through_pipe(connection, query, copy_options(envelope.provider.format), take)
        contents = writer.close()
        if not (copied == writer.rows == sum(content.rows for content in contents) == expected):
            raise ExtractError(
                f"{envelope.campaign.name}: {counted(expected, 'row was', 'rows were')} expected, DuckDB reports {copied:,}, "
                f"and the files have {writer.rows:,}: they are not used"
            )
    except BaseException:
        writer.abandon()
        raise
    return contents


def with_progress(writer: PartWriter, advance: Callable[[int], None]) -> Callable[[bytes], None]:
    """A function that passes chunks to a writer and reports the number of rows in each."""

    def take(chunk: bytes) -> None:
        before = writer.rows
        writer.take(chunk)
        advance(writer.rows - before)

    return take


def check_values(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, file_format: Format) -> None:
    """Raises ExtractError if any value does not fit the format. It lists every kind with its number and an example."""
    faults = list(value_faults(campaign, file_format))
    if not faults:
        return
    counts = ", ".join(f"count(*) filter ({condition}), min({quote(KEY)}) filter ({condition})" for _, condition, _ in faults)
    found = connection.execute(f"select {counts} from {build.extract}").fetchone() or ()
    lines = [
        f"{column.name}: {counted(count, 'value has', 'values have')} {what}, such as that of {KEY} {one_line(str(first))}"
        for (column, _, what), count, first in zip(faults, found[::2], found[1::2], strict=False)
        if count
    ]
    if lines:
        raise ExtractError(
            f"{campaign.name} has values that do not fit a {file_format.type} file:\n  " + "\n  ".join(lines),
            todo="values are never cut automatically: shorten or clean them in the extract, with a format macro",
        )


def unprintable_error(connection: duckdb.DuckDBPyConnection, build: Build, envelope: Envelope, character: str) -> ExtractError:
    """The error for characters that the encoding does not have: all of them, each with its column and a profile."""
    campaign, file_format = envelope.campaign, envelope.provider.format
    missing = list(missing_characters(connection, build, campaign, file_format.encoding, values=True))
    if not missing:
        what = f"{file_format.encoding} has no {named(character)}, which is in a label, a note or a control record"
        return ExtractError(f"{campaign.name}: {what}")
    return ExtractError(
        f"{campaign.name}: {lacks(file_format.encoding, missing)}",
        todo="replace what it lacks in the extract, for example with to_ascii(), or give the provider another `encoding`",
    )


def oversized_error(connection: duckdb.DuckDBPyConnection, rows: str, envelope: Envelope, written: int) -> ExtractError:
    """The error for a record that is larger than a part, given the number of records written before it."""
    order = order_by(envelope.campaign)
    query = f"select rows.{quote(KEY)} from ({rows}) as rows order by {order} limit 1 offset {written}"
    (key,) = connection.execute(query).fetchone() or (None,)
    split = envelope.provider.split
    most = f"at most {split.size if split else 0:,} bytes"
    return ExtractError(f"{envelope.campaign.name}: the record of {KEY} {one_line(str(key))} is larger than a part of {most}")
