"""Checks the extract against the provider's contract. Rows that break it stop the run or are left out of the file."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ExtractError, Problem
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import BREACHES, IDENTICAL, Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign, Column
from dmail_runner.declare.contract import ColumnContract
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.provider import FILE, Provider
from dmail_runner.extract.format_sql import Format, folded
from dmail_runner.project.warehouse import literal, printed, quote

# White space by Unicode. RE2's own \s matches ASCII only.
SPACE = r"[\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"


@dataclass(frozen=True)
class Breach:
    """One way in which a row can break the contract.

    Attributes:
        label: the label of a column, or the labels of a group.
        rule: the rule that is broken, such as `max_length`.
        condition: SQL over the extract. It is true for a row that breaks the rule, and false or null for others.
        one: the error, as the text after the number 1.
        many: the error, as the text after another number.
    """

    label: str
    rule: str
    condition: str
    one: str
    many: str

    @property
    def reason(self) -> str:
        """The exclusion reason of rows that are left out because of it."""
        return f"contract:{self.label}:{self.rule}"


def contract_faults(campaign: Campaign, provider: Provider) -> Iterator[Problem]:
    """The columns that the extract must have but does not, and those that it must not have. No rows are read."""
    name, file, key = campaign.mail.provider, campaign.contract, f"models.{campaign.extract.split('.')[-1]}.columns"
    labels = [column.label for column in campaign.exported]
    for label, rules in provider.columns.items():
        if rules.required and label not in labels:
            yield Problem(file, key, f"{name} requires a column with the label {label!r}", f"now {', '.join(labels)}")
    for group in provider.required_one_of:
        if not set(group) & set(labels):
            either = " or ".join(map(repr, group))
            yield Problem(file, key, f"{name} requires a column with the label {either}", f"now {', '.join(labels)}")
    if provider.max_columns and len(labels) > provider.max_columns:
        what = f"{counted(len(labels), 'column is', 'columns are')} exported, too many for {name}"
        yield Problem(file, key, what, f"at most {provider.max_columns}")
    known = dict.fromkeys([*provider.columns, *(label for group in provider.required_one_of for label in group)])
    for column in campaign.exported:
        if provider.extra_columns == "refuse" and column.label not in known:
            label_key = f"{key}.{column.name}.config.meta.label"
            yield Problem(file, label_key, f"{name} does not accept the column {column.label!r}", ", ".join(known))


def possible_breaches(campaign: Campaign, provider: Provider) -> Iterator[Breach]:
    """Every way in which a row can break the contract: the rules of each column in order, then the groups."""
    texts = {column.label: file_text(column, provider.format) for column in campaign.exported}
    for label, rules in provider.columns.items():
        if label in texts:
            yield from column_breaches(label, texts[label], rules)
    for group in provider.required_one_of:
        if empty := [is_blank(texts[label]) for label in group if label in texts]:
            yield Breach(" or ".join(group), "required_one_of", " and ".join(empty), "row has no value", "rows have no value")


def column_breaches(label: str, text: str, rules: ColumnContract) -> Iterator[Breach]:
    """Every way in which a row can break the rules of one column.

    Args:
        label: the column's label.
        text: SQL for the value as the file shows it.
        rules: the column's rules. A row counts under the first one that it breaks.
    """
    allowed = ", ".join(literal(value) for value in rules.allowed or ())
    shortest, longest = (counted(length or 0, "character") for length in (rules.min_length, rules.max_length))
    conditions = (
        ("required", is_blank(text), "is", "are", "empty"),
        ("min_length", f"length({text}) < {rules.min_length}", "is", "are", f"shorter than {shortest}"),
        ("max_length", f"length({text}) > {rules.max_length}", "is", "are", f"longer than {longest}"),
        ("pattern", f"not regexp_full_match({text}, {literal(rules.pattern or '')})", "does", "do", f"not match {rules.pattern}"),
        ("allowed", f"{text} not in ({allowed})", "is", "are", "not among the allowed values"),
        ("upper", f"{text} <> upper({text})", "is", "are", "not in upper case"),
        ("trimmed", f"regexp_matches({text}, '^{SPACE}|{SPACE}$')", "begins or ends", "begin or end", "with a space"),
    )
    for rule, condition, one, many, message in conditions:
        if getattr(rules, rule) not in (None, False):
            yield Breach(label, rule, condition, f"value {one} {message}", f"values {many} {message}")


def file_text(column: Column, file_format: Format) -> str:
    """SQL for a column's value as the file shows it, without quotes and padding."""
    text = printed(column.name)
    return folded(text) if isinstance(file_format, FixedWidthFormat) or file_format.newlines == "fold" else text


def is_blank(text: str) -> str:
    """SQL that is true for a value that is null, empty or white space only."""
    return f"coalesce(regexp_full_match({text}, '{SPACE}*'), true)"


def apply_contract(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, provider: Provider
) -> tuple[Build, Verdicts]:
    """Check every row of the extract.

    Returns:
        The build and the verdicts without the rows that break the contract, if the provider's `on_breach` is `exclude`.

    Raises:
        ExtractError: with every kind of breach, if `on_breach` is `error`.
    """
    breaches = list(possible_breaches(campaign, provider))
    if not breaches or not verdicts.included:
        return build, verdicts
    if provider.on_breach == "error":
        refuse_breaches(connection, build, breaches, campaign, provider)
        return build, verdicts
    excluded, seeds, duplicates = count_first_breaches(
        connection, build, breaches, campaign, identical=IDENTICAL in verdicts.excluded
    )
    if not excluded and not seeds:
        return build, verdicts
    reasons = {**verdicts.excluded, **excluded}
    # Identical rows have identical breaches. They count as breaches now, and no longer as duplicates.
    identical = reasons.pop(IDENTICAL, 0) - duplicates
    if identical:
        reasons[IDENTICAL] = identical
    included = verdicts.included - sum(excluded.values()) + duplicates
    kept = f"(select * from {build.extract} anti join {BREACHES} using ({quote(KEY)}))"
    return replace(build, extract=kept), replace(verdicts, included=included, excluded=reasons, seeds=verdicts.seeds - seeds)


def refuse_breaches(
    connection: duckdb.DuckDBPyConnection, build: Build, breaches: list[Breach], campaign: Campaign, provider: Provider
) -> None:
    """Raises ExtractError if any row breaks the contract. It lists every kind of breach with its number and an example.

    A row counts under each rule that it breaks.
    """
    # The filter comes first, so that an extract without breaches is scanned once and nothing is counted.
    counts = ", ".join(
        f"count(*) filter ({breach.condition}), min({quote(KEY)}) filter ({breach.condition})" for breach in breaches
    )
    found = connection.execute(f"select {counts} from {build.extract} where {any_breach(breaches)}").fetchone() or ()
    lines = [
        f"{breach.label}: {counted(count, breach.one, breach.many)} ({breach.rule}), such as that of {KEY} {one_line(str(first))}"
        for breach, count, first in zip(breaches, found[::2], found[1::2], strict=False)
        if count
    ]
    if lines:
        raise ExtractError(
            f"{campaign.name} has rows that {provider.label} does not accept:\n  " + "\n  ".join(lines),
            todo="correct them in the extract; or, to leave them out, "
            f"set `on_breach: exclude` for {campaign.mail.provider} in {FILE}",
        )


def count_first_breaches(
    connection: duckdb.DuckDBPyConnection, build: Build, breaches: list[Breach], campaign: Campaign, *, identical: bool
) -> tuple[dict[str, int], int, int]:
    """Count the rows that break the contract, each under the first rule that it breaks.

    Their keys and reasons are stored in the session's table BREACHES, so that the contract is evaluated only once.

    Returns:
        The number of profiles by exclusion reason, the number of seeds, and the number of profiles' rows that are printed exactly
        like another one of them (0 if not `identical`).
    """
    reasons = f"[{', '.join(literal(breach.reason) for breach in breaches)}]"
    first = " ".join(f"when {breach.condition} then {index}" for index, breach in enumerate(breaches))
    seed = f"coalesce({quote(SEED)}, false)" if campaign.has_seeds else "false"
    row = ", ".join(printed(column.name) for column in campaign.exported)
    row_hash = f"md5_number(cast(row({row}) as varchar))" if identical else "null"
    connection.execute(
        f"""
        create or replace temp table {BREACHES} as
        select *, {reasons}[breach + 1] as reason
        from (
            select {quote(KEY)}, case {first} end as breach, {seed} as seed, {row_hash} as row_hash
            from {build.extract}
            where {any_breach(breaches)}
        )
        """
    )
    counts = connection.execute(
        f"select breach, seed, count(*), count(distinct row_hash) from {BREACHES} group by breach, seed order by breach"
    ).fetchall()
    excluded = {breaches[index].reason: count for index, is_seed, count, _ in counts if not is_seed}
    seeds = sum(count for _, is_seed, count, _ in counts if is_seed)
    duplicates = sum(count - hashes for _, is_seed, count, hashes in counts if not is_seed) if identical else 0
    return excluded, seeds, duplicates


def any_breach(breaches: list[Breach]) -> str:
    """SQL that is true for a row that breaks the contract in any way."""
    return " or ".join(f"({breach.condition})" for breach in breaches)
