"""The pieces of a proof on paper: all test profiles and seed addresses, and the extremes of the last build."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from dmail_runner.check.contract import file_text
from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.campaign import KEY, PURL, PURL_QR, SEED
from dmail_runner.project.warehouse import quote
from dmail_runner.run.checked import Checked
from dmail_runner.run.job import Job

MAX_PIECES = 500  # of test profiles and seeds
BLOCK = re.compile(r"address_block_(\d+)")
# The columns of an address without `address_block()`, line by line.
LINES = (
    ("title", "first_name", "last_name"),
    ("full_name",),
    ("company",),
    ("address_line1",),
    ("address_line2",),
    ("postal_code", "city", "region"),
    ("country",),
)
PICTURE = "(the picture of the address)"  # in place of its SVG
NAMES = ("full_name", "last_name", "first_name", "address_block_1")


@dataclass(frozen=True)
class Piece:
    """A piece of a proof.

    Attributes:
        why: why it is in the proof, such as `seed address`.
        address: the lines of its address.
        fields: the columns of its row in the file's order, as (label, text).
        purl: its personal address; empty if it has none.
    """

    why: str
    address: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    purl: str = ""


def address_columns(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The columns of an address, by line: those of `address_block()`, or the usual ones of `LINES`."""
    blocks = sorted((int(found[1]), name) for name in names if (found := BLOCK.fullmatch(name)))
    if blocks:
        return [(name,) for _, name in blocks]
    return [present for line in LINES if (present := tuple(name for name in line if name in names))]


def proof_pieces(job: Job, found: Checked) -> list[Piece]:
    """The pieces of a proof.

    Args:
        job: the campaign's job.
        found: the trial, with the test profiles and the seed addresses.

    Raises:
        ExtractError: if no column of the extract is known to be a part of an address.
    """
    names = [column.name for column in job.campaign.exported]
    lines = address_columns(names)
    if not lines:
        raise ExtractError(
            f"{job.campaign.name}: the extract has no column of an address that a proof can show",
            todo=f"call address_block(), or name columns {', '.join(sorted({name for line in LINES for name in line}))}",
        )
    seed = f"coalesce({quote(SEED)}, false)" if job.campaign.has_seeds else "false"
    why = f"case when {seed} then 'seed address' else 'test profile' end"
    order = f"order by {seed}, {quote(KEY)} limit {MAX_PIECES}"
    pieces = list(read(job, found.connection, f"select *, {why} as dmail_why from {found.relations.extract} {order}", lines))
    if table := last_build(job, found.connection):
        for reason, measure in extremes(lines, names):
            people = f"(select * from {table} where not {seed})"
            extreme = f"select *, '{reason}' as dmail_why from {people} order by {measure} desc, {quote(KEY)} limit 1"
            pieces += read(job, found.connection, extreme, lines)
    return pieces


def last_build(job: Job, connection: duckdb.DuckDBPyConnection) -> str | None:
    """The extract of the campaign's last build; None if there is none with today's columns."""
    model = job.campaign.extract.split(".")[-1]
    tables = "duckdb_columns() where table_name = ? and database_name <> 'temp' group by all"
    names = "database_name, schema_name, list(column_name)"
    for database, schema, columns in connection.execute(f"select {names} from {tables}", [model]).fetchall():
        if {column.name for column in job.campaign.columns} <= set(columns):
            return ".".join(map(quote, (database, schema, model)))
    return None


def extremes(lines: Sequence[tuple[str, ...]], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The extremes of the real data, as (reason, the SQL of what is largest)."""
    texts = ["concat_ws(' ', " + ", ".join(f"cast({quote(name)} as varchar)" for name in line) + ")" for line in lines]
    for name in NAMES:
        if name in names:
            yield "longest name", f"length(coalesce({quote(name)}, ''))"
            break
    yield "longest line", f"greatest({', '.join(f'length({text})' for text in texts)})"
    yield "longest address", " + ".join(f"length({text})" for text in texts)
    yield "most lines", " + ".join(f"cast({text} <> '' as integer)" for text in texts)


def read(job: Job, connection: duckdb.DuckDBPyConnection, query: str, lines: Sequence[tuple[str, ...]]) -> Iterator[Piece]:
    """The pieces of a query with all columns of the extract, and `dmail_why`."""
    exported = job.campaign.exported
    fields = ", ".join(f"coalesce({file_text(column, job.provider.format)}, '')" for column in exported)
    for why, *texts in connection.execute(f"select dmail_why, {fields} from ({query}) as rows").fetchall():
        value = {column.name: text.strip() for column, text in zip(exported, texts, strict=True)}
        printed = (" ".join(filter(None, (value[name] for name in line))) for line in lines)
        labels = (column.label for column in exported)
        shown = (PICTURE if column.name == PURL_QR and text else text for column, text in zip(exported, texts, strict=True))
        yield Piece(why, tuple(filter(None, printed)), tuple(zip(labels, shown, strict=True)), value.get(PURL, ""))
