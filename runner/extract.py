"""The extraction file: DuckDB writes the rows into a pipe, and what comes out is counted, hashed and put into the spool."""

import fcntl
import os
import threading
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from runner.campaign import SEED, Campaign
from runner.encoder import Unprintable
from runner.envelope import Envelope
from runner.errors import DmailError, ExtractError
from runner.frame import Format, copy_options, misfits, select_list
from runner.parts import Content, Finished, Oversized, PartWriter, nothing
from runner.project import KEY
from runner.values import IDENTICAL, Build, Load, Verdicts, Watch, nobody_watches
from runner.warehouse import literal, printed, quote

# Bytes in the pipe, and of one read: what is taken at once stays in the processor's cache until it is hashed.
PIPE, CHUNK = 1 << 20, 1 << 17


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


def copy_through_pipe(connection: duckdb.DuckDBPyConnection, query: str, options: str, take: Callable[[bytes], None]) -> int:
    """Run COPY in a thread and give `take` every chunk that comes out; the number of rows that DuckDB reports.

    This side holds the pipe open until COPY has returned: its end is then the end of the file, whether COPY succeeded, failed
    half-way, or failed before it opened the pipe.
    """
    reader, writer = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE)
    outcome: list[int | Exception] = []

    def copy() -> None:
        try:
            result = connection.execute(f"copy ({query}) to '/dev/fd/{writer}' ({options})").fetchone()
            outcome.append(result[0] if result else 0)
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
            outcome.append(error)
        finally:
            os.close(writer)

    thread = threading.Thread(target=copy, name="copy")
    thread.start()
    try:
        while chunk := os.read(reader, CHUNK):
            take(chunk)
    except BaseException:
        connection.interrupt()
        raise
    finally:
        # Closing this end stops a COPY that is still writing.
        os.close(reader)
        thread.join()
    if isinstance(outcome[0], Exception):
        raise explain(outcome[0])
    return outcome[0]


def explain(error: Exception) -> DmailError | Exception:
    """DuckDB's error without the row that it may quote."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return error
    return ExtractError(
        f"DuckDB could not write the extract: {type(error).__name__}", todo="the extract's columns must cast to text"
    )
