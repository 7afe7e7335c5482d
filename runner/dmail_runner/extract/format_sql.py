"""How a provider's format becomes SQL: the records, what COPY is told, and which values the format cannot hold."""

from collections.abc import Iterator

from dmail_runner.core.errors import Problem
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.declare.file_format import CsvFormat, DelimitedFormat, FixedWidthFormat
from dmail_runner.project.warehouse import literal, printed, quote

Format = CsvFormat | DelimitedFormat | FixedWidthFormat
BOM = "\ufeff"
LINE_ENDS = {"lf": r"\n", "crlf": r"\r\n"}


def select_list(campaign: Campaign, form: Format) -> str:
    """The columns of a record, over the extract's."""
    if isinstance(form, FixedWidthFormat):
        return " || ".join(padded(column, form) for column in campaign.exported) + " as record"
    shown = form.quoting == "all" or len(campaign.exported) == 1
    return ", ".join(f"{field(column, form, shown=shown)} as {quote(column.label)}" for column in campaign.exported)


def field(column: Column, form: CsvFormat | DelimitedFormat, *, shown: bool) -> str:
    """A column as text. Nothing is printed as "" where it is `shown`, else as nothing at all: alone, that were a blank line."""
    text = printed(column.name)
    if form.newlines == "fold":
        text = folded(text)
    return f"coalesce({text}, '')" if shown else text


def folded(text: str) -> str:
    """Text with a space for each run of line breaks; the look is cheaper than the rewrite."""
    broken = " or ".join(f"contains({text}, chr({code}))" for code in (10, 13))
    return rf"case when {broken} then regexp_replace({text}, '[\r\n]+', ' ', 'g') else {text} end"


def padded(column: Column, form: FixedWidthFormat) -> str:
    """A column in its width, counted in characters."""
    pad = "lpad" if column.align == "right" else "rpad"
    return f"{pad}(coalesce({folded(printed(column.name))}, ''), {column.width}, {literal(column.pad or form.pad)})"


def copy_options(form: Format) -> str:
    """What COPY is told; `quote ''` quotes nothing. The header is the envelope's, which is in every part."""
    line_end = f"new_line '{LINE_ENDS[form.line_end]}', nullstr '', use_tmp_file false"
    if isinstance(form, FixedWidthFormat):
        return rf"format csv, header false, delim e'\x01', quote '', escape '', {line_end}"
    sign = "''" if form.quoting == "none" else "'\"'"
    signs = f"delim {literal(form.delimiter)}, quote {sign}, escape {sign}"
    every = ", force_quote *" if form.quoting == "all" else ""
    return f"format csv, header false, {signs}{every}, {line_end}"


def layout_faults(campaign: Campaign, form: Format) -> Iterator[Problem]:
    """What the contract lacks for the format."""
    for column in campaign.exported:
        key = f"models.{campaign.extract.split('.')[-1]}.columns.{column.name}.config.meta"
        if isinstance(form, FixedWidthFormat):
            if column.width is None:
                yield Problem(campaign.contract, f"{key}.width", f"is required: {campaign.mail.provider} takes fixed-width files")
        elif form.quoting == "none" and form.header and any(sign in column.label for sign in form.delimiter + '"\r\n'):
            yield Problem(campaign.contract, f"{key}.label", f"has a sign that {campaign.mail.provider}'s format does not quote")


def misfits(campaign: Campaign, form: Format) -> Iterator[tuple[Column, str, str]]:
    """Column by column, what the format cannot hold: SQL that is true for such a value, and what is wrong with it."""
    if not (form.header or form.marked) and (isinstance(form, FixedWidthFormat) or form.quoting != "all"):
        # At the beginning of a file readers take it away.
        first = campaign.exported[0]
        yield first, f"starts_with({printed(first.name)}, {literal(BOM)})", "a byte order mark in front"
    for column in campaign.exported:
        text = printed(column.name)
        if isinstance(form, FixedWidthFormat):
            yield column, f"length({folded(text)}) > {column.width}", f"more than {column.width} characters"
        elif form.quoting == "none":
            signs = form.delimiter + '"'
            # The space for a line break may be the delimiter.
            shown = folded(text) if form.newlines == "fold" else text
            held = " or ".join(f"contains({shown}, {literal(sign)})" for sign in signs)
            broken = rf" or regexp_matches({text}, '[\r\n]')" if form.newlines == "keep" else ""
            yield column, held + broken, f"{' or '.join(signs)}, or a line break, which the format does not quote"
            if len(campaign.exported) == 1:
                yield column, f"{text} is null", "nothing to print, which alone in its line is a blank one"
