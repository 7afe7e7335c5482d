"""SQL for a provider's format: the columns of a record, the options of COPY, and the values that do not fit."""

from collections.abc import Iterator

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Problem
from dmail_runner.core.widths import in_bytes, in_cells, in_characters
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.declare.file_format import CsvFormat, DelimitedFormat, FixedWidthFormat
from dmail_runner.project.warehouse import literal, printed, quote

Format = CsvFormat | DelimitedFormat | FixedWidthFormat
BOM = "\ufeff"
LINE_ENDS = {"lf": r"\n", "crlf": r"\r\n"}


def select_list(campaign: Campaign, file_format: Format) -> str:
    """The select list of a record, over the columns of the extract."""
    if isinstance(file_format, FixedWidthFormat):
        return " || ".join(padded(column, file_format) for column in campaign.exported) + " as record"
    quote_empty = file_format.quoting == "all" or len(campaign.exported) == 1
    return ", ".join(
        f"{field(column, file_format, quote_empty=quote_empty)} as {quote(column.label)}" for column in campaign.exported
    )


def field(column: Column, file_format: CsvFormat | DelimitedFormat, *, quote_empty: bool) -> str:
    """SQL for a column of a record with a delimiter.

    An empty value prints as nothing, or as "" if `quote_empty`: an empty one-column record would otherwise be a blank line.
    """
    text = printed(column.name)
    if file_format.newlines == "fold":
        text = folded(text)
    return f"coalesce({text}, '')" if quote_empty else text


def folded(text: str) -> str:
    """SQL for a text with line breaks replaced by a space. Most texts have none, so it tests for them first."""
    broken = " or ".join(f"contains({text}, chr({code}))" for code in (10, 13))
    return rf"case when {broken} then regexp_replace({text}, '[\r\n]+', ' ', 'g') else {text} end"


def padded(column: Column, file_format: FixedWidthFormat) -> str:
    """SQL for a column of a fixed-width record, padded to its width."""
    text, pad = f"coalesce({folded(printed(column.name))}, '')", literal(column.pad or file_format.pad)
    if file_format.width_in == "characters":
        return f"{'lpad' if column.align == 'right' else 'rpad'}({text}, {column.width}, {pad})"
    fill = f"repeat({pad}, {column.width} - {size(text, file_format)})"
    return f"{fill} || {text}" if column.align == "right" else f"{text} || {fill}"


def size(text: str, file_format: FixedWidthFormat) -> str:
    """SQL for the size of a text, in the unit in which the format counts widths."""
    if file_format.width_in == "cells":
        return in_cells(text)
    return (in_bytes(text, file_format.encoding) if file_format.width_in == "bytes" else None) or in_characters(text)


def copy_options(file_format: Format) -> str:
    """The options of COPY. The header is not among them, because the envelope writes it into every part."""
    line_end = f"new_line '{LINE_ENDS[file_format.line_end]}', nullstr '', use_tmp_file false"
    if isinstance(file_format, FixedWidthFormat):
        return rf"format csv, header false, delim e'\x01', quote '', escape '', {line_end}"
    mark = "''" if file_format.quoting == "none" else "'\"'"
    marks = f"delim {literal(file_format.delimiter)}, quote {mark}, escape {mark}"
    force = ", force_quote *" if file_format.quoting == "all" else ""
    return f"format csv, header false, {marks}{force}, {line_end}"


def layout_faults(campaign: Campaign, file_format: Format) -> Iterator[Problem]:
    """Errors in the extract's columns: a width is missing, or a label cannot be printed without quotes."""
    for column in campaign.exported:
        key = f"models.{campaign.extract.split('.')[-1]}.columns.{column.name}.config.meta"
        if isinstance(file_format, FixedWidthFormat):
            if column.width is None:
                yield Problem(
                    campaign.contract, f"{key}.width", f"is required, because {campaign.mail.provider} accepts fixed-width files"
                )
        elif (
            file_format.quoting == "none"
            and file_format.header
            and any(character in column.label for character in file_format.delimiter + '"\r\n')
        ):
            yield Problem(
                campaign.contract, f"{key}.label", f"has a character that {campaign.mail.provider}'s format does not quote"
            )


def value_faults(campaign: Campaign, file_format: Format) -> Iterator[tuple[Column, str, str]]:
    """The kinds of values that do not fit the format.

    Yields:
        The column, SQL that is true for such a value, and what such a value has.
    """
    if not (file_format.header or file_format.marked) and (
        isinstance(file_format, FixedWidthFormat) or file_format.quoting != "all"
    ):
        # Readers remove a byte order mark at the beginning of a file.
        first = campaign.exported[0]
        yield first, f"starts_with({printed(first.name)}, {literal(BOM)})", "a byte order mark at the beginning"
    for column in campaign.exported:
        text = printed(column.name)
        if isinstance(file_format, FixedWidthFormat):
            yield (
                column,
                f"{size(folded(text), file_format)} > {column.width}",
                f"more than {counted(column.width or 0, file_format.width_in.removesuffix('s'))}",
            )
        elif file_format.quoting == "none":
            reserved = file_format.delimiter + '"'
            # `folded` replaces line breaks by spaces, and the delimiter may be a space.
            folded_text = folded(text) if file_format.newlines == "fold" else text
            contained = " or ".join(f"contains({folded_text}, {literal(character)})" for character in reserved)
            broken = rf" or regexp_matches({text}, '[\r\n]')" if file_format.newlines == "keep" else ""
            yield column, contained + broken, f"{' or '.join(reserved)}, or a line break, which the format does not quote"
            if len(campaign.exported) == 1:
                yield column, f"{text} is null", "nothing to print, which would be a blank line"
