"""Reads a plain file as its entry declares: SQL for its rows, with the faults of each row."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dmail_runner.declare.answers import FIELDS, ONE_OF, SQL_TYPES, Field
from dmail_runner.declare.inbound import Inbound, InboundCsv, InboundFixedWidth
from dmail_runner.declare.inbound_column import InboundColumn
from dmail_runner.inbound.errors import Unacceptable
from dmail_runner.project.warehouse import literal, quote

ROWS = "dmail_rows"  # the table of the rows: one column for each of the kind, `row_number` and `fault`
LONGEST_HEADER = 1 << 20  # characters
WHOLE_LINE = "delim = e'\\x01', quote = '', escape = '', strict_mode = false, header = false, columns = {'line': 'varchar'}"


@dataclass(frozen=True)
class Counted:
    """The rows of a file. `example`: the fault of the first row that is not acceptable."""

    rows: int
    bad: int
    example: str | None


def read_rows(connection: duckdb.DuckDBPyConnection, file: Path, name: str, entry: Inbound) -> Counted:
    """Read a file into the table ROWS.

    Args:
        connection: an empty session.
        file: the plain file, in UTF-8.
        name: its name on the route, in which `from_name` searches.
        entry: what it is.

    Raises:
        Unacceptable: if the file as such is not as declared.
    """
    source = csv_source(file, entry.format) if isinstance(entry.format, InboundCsv) else fixed_source(file, entry.format)
    fields = FIELDS[entry.what]
    texts = {column: text_of(entry.columns[column], name, source.headers) for column in fields if column in entry.columns}
    values = [value_of(column, field, entry, texts) for column, field in fields.items()]
    faults = ", ".join([source.fault, *faults_of(entry, texts)])
    try:
        connection.execute(
            f"create temp table {ROWS} as select row_number() over () as row_number, {', '.join(values)}, "
            f"coalesce({faults}) as fault from {source.relation} where {source.condition}"
        )
        total, bad = connection.execute(f"select count(*), count(fault) from {ROWS}").fetchone() or (0, 0)
        worst = f"select row_number, fault from {ROWS} where fault is not null order by row_number limit 1"
        example = connection.execute(worst).fetchone()
    except duckdb.Error as error:
        raise Unacceptable(f"it cannot be read as declared{where(error)}") from None
    return Counted(total - bad, bad, f"row {example[0]}: {example[1]}" if example else None)


def where(error: duckdb.Error) -> str:
    """The line of DuckDB's message about a CSV file. The rest of it quotes the row."""
    found = re.search(r"CSV Error on Line: (\d+)", str(error))
    return f": line {found[1]} has another number of columns, or a quote that does not end" if found else ""


@dataclass(frozen=True)
class Source:
    """The lines of a file.

    Attributes:
        relation: SQL that reads them.
        headers: the columns by header, or by position as text; empty for fixed widths.
        condition: SQL that is true for the lines that are rows.
        fault: SQL for the fault of a line: a text, or null.
    """

    relation: str
    headers: dict[str, str]
    condition: str = "true"
    fault: str = "cast(null as varchar)"


def csv_source(file: Path, form: InboundCsv) -> Source:
    """The source of a file with a delimiter. Its columns are named by position, because two headers may be alike."""
    first = first_record(file, form)
    if first is None:
        return Source("(select null as c1 where false)", {})
    names = [f"c{number}" for number in range(1, len(first) + 1)]
    columns = ", ".join(f"'{name}': 'varchar'" for name in names)
    options = (
        f"auto_detect = false, delim = {literal(form.delimiter)}, quote = '\"', escape = '\"', comment = '', "
        f"header = {str(form.header).lower()}, skip = {form.skip}, columns = {{{columns}}}, strict_mode = true"
    )
    labels = [label.strip() for label in first] if form.header else [str(number) for number in range(1, len(first) + 1)]
    doubled = sorted({label for label in labels if labels.count(label) > 1})
    headers = {label: name for label, name in zip(labels, names, strict=True) if label not in doubled}
    return Source(f"read_csv({literal(str(file))}, {options})", headers)


def first_record(file: Path, form: InboundCsv) -> list[str] | None:
    """The first record, which has the headers or shows the number of columns. None for an empty file."""
    with file.open(encoding="utf-8", newline="") as content:
        for _ in range(form.skip):
            content.readline(LONGEST_HEADER)
        line = content.readline(LONGEST_HEADER)
        if len(line) == LONGEST_HEADER:
            raise Unacceptable("its first line is too long to be the header of a file")
        try:
            return next(csv.reader([line], delimiter=form.delimiter, strict=True), None) if line.strip() else None
        except csv.Error:
            raise Unacceptable("its first line cannot be read as a header") from None


def fixed_source(file: Path, form: InboundFixedWidth) -> Source:
    """The source of a file with fixed widths."""
    relation = f"(select line from read_csv({literal(str(file))}, auto_detect = false, {WHOLE_LINE}) where line <> '')"
    chosen = [
        f"substr(line, {selected.start}, {len(selected.values[0])}) in ({', '.join(map(literal, selected.values))})"
        for selected in form.select
    ]
    wrong = f"length(line) <> {form.record_length}" if form.record_length else "false"
    return Source(relation, {}, " and ".join(chosen) or "true", fault(wrong, f"the line has not {form.record_length} characters"))


def text_of(column: InboundColumn, name: str, headers: dict[str, str]) -> str:
    """SQL for the text of a column; null if it is blank. Raises Unacceptable if the file does not have it."""
    if column.value is not None:
        return literal(column.value)
    if column.from_name is not None:
        found = re.search(column.from_name, name)
        if not found:
            raise Unacceptable(f"its name does not match {column.from_name}")
        return literal(found[1])
    if column.start is not None:
        return f"nullif(trim(substr(line, {column.start}, {column.length})), '')"
    label = column.header if column.header is not None else str(column.position)
    if label not in headers:
        what = f"column {label}" if column.header is None else f"column {label!r}, or has it twice"
        raise Unacceptable(f"it does not have the {what}; its columns are {', '.join(headers) or 'none'}")
    return f"nullif(trim({quote(headers[label])}), '')"


def coded(column: InboundColumn, text: str) -> str:
    """SQL for the meaning of a column's code."""
    if not column.codes:
        return f"coalesce({text}, {literal(column.otherwise)})" if column.otherwise is not None else text
    cases = " ".join(f"when {literal(code)} then {literal(value)}" for code, value in column.codes.items())
    otherwise = f" else {literal(column.otherwise)}" if column.otherwise is not None else ""
    return f"case coalesce({text}, '') {cases}{otherwise} end"


def converted(field: Field, column: InboundColumn, text: str) -> str:
    """SQL for a value in its type; null if it cannot be read."""
    if field.type == "text":
        return text
    if field.type == "time" and column.format:
        return f"cast(try_strptime({text}, [{', '.join(map(literal, column.format))}]) as timestamp)"
    if field.type in ("integer", "number"):
        thousands = "," if column.decimal == "." else "."
        text = f"replace(replace({text}, {literal(thousands)}, ''), {literal(column.decimal)}, '.')"
        if field.type == "integer":
            # A cast would round 1.5.
            text = f"nullif(regexp_extract({text}, '^[+-]?[0-9]+(\\.0*)?$'), '')"
    return f"try_cast({text} as {SQL_TYPES[field.type]})"


def value_of(name: str, field: Field, entry: Inbound, texts: dict[str, str]) -> str:
    """SQL for a column of the kind."""
    if name not in texts:
        return f"cast(null as {SQL_TYPES[field.type]}) as {quote(name)}"
    column = entry.columns[name]
    value = converted(field, column, coded(column, texts[name]))
    return f"cast({value} as {SQL_TYPES[field.type]}) as {quote(name)}"


def faults_of(entry: Inbound, texts: dict[str, str]) -> Iterator[str]:
    """SQL for each possible fault of a row: a text, or null. It has no values, because they may be personal data."""
    for name, field in FIELDS[entry.what].items():
        if name not in texts:
            continue
        column, text = entry.columns[name], texts[name]
        meant = coded(column, text)
        value = converted(field, column, meant)
        if column.codes and column.otherwise is None:
            yield fault(f"{text} is not null and {meant} is null", f"{name} has a code that is not declared")
        elif field.values:
            yield fault(f"{meant} not in ({', '.join(map(literal, field.values))})", f"{name} has a value that is not declared")
        if field.type != "text":
            yield fault(f"{meant} is not null and {value} is null", f"{name} is not a {field.type}")
        if field.required:
            yield fault(f"{meant} is null", f"{name} is empty")
    if one_of := [name for name in ONE_OF.get(entry.what, ()) if name in texts]:
        nothing = " and ".join(f"{texts[name]} is null" for name in one_of)
        yield fault(nothing, f"{' and '.join(one_of)} {'is' if len(one_of) == 1 else 'are'} empty")


def fault(condition: str, text: str) -> str:
    return f"case when {condition} then {literal(text)} end"
