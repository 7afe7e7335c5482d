"""A breach of the provider's contract: found before anything is extracted, and then an error or a reason to leave the row out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb

from dmail_runner.core.errors import ExtractError, Problem
from dmail_runner.core.values import IDENTICAL, Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign, Column
from dmail_runner.declare.contract import ColumnContract
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.provider import FILE, Provider
from dmail_runner.extract.format_sql import Format, folded
from dmail_runner.project.warehouse import literal, printed, quote

# What Unicode calls white space, for RE2, whose own \s knows ASCII alone.
SPACE = r"[\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"

BREACHING = "temp.dmail_breaching"


@dataclass(frozen=True)
class Breach:
    """One way to breach a contract: `label` (of a column, or of a group's) and `rule`, and how it is told.

    `wrong`: SQL over the extract, true for a row that breaches, false or null for any other.
    """

    label: str
    rule: str
    wrong: str
    what: str

    @property
    def reason(self) -> str:
        """What a row that is left out for it counts under."""
        return f"contract:{self.label}:{self.rule}"


def contract_faults(campaign: Campaign, provider: Provider) -> Iterator[Problem]:
    """What the extract's columns lack, or have too much, for the provider; no row is looked at."""
    who, file, key = campaign.mail.provider, campaign.contract, f"models.{campaign.extract.split('.')[-1]}.columns"
    labels = [column.label for column in campaign.exported]
    for label, rules in provider.columns.items():
        if rules.required and label not in labels:
            yield Problem(file, key, f"{who} requires a column with the label {label!r}", f"now {', '.join(labels)}")
    for group in provider.required_one_of:
        if not set(group) & set(labels):
            either = " or ".join(map(repr, group))
            yield Problem(file, key, f"{who} requires a column with the label {either}", f"now {', '.join(labels)}")
    if provider.max_columns and len(labels) > provider.max_columns:
        yield Problem(file, key, f"{len(labels)} columns are exported, too many for {who}", f"at most {provider.max_columns}")
    known = dict.fromkeys([*provider.columns, *(label for group in provider.required_one_of for label in group)])
    for column in campaign.exported:
        if provider.extra_columns == "refuse" and column.label not in known:
            label_key = f"{key}.{column.name}.config.meta.label"
            yield Problem(file, label_key, f"{who} takes no column {column.label!r}", ", ".join(known))


def breaches(campaign: Campaign, provider: Provider) -> Iterator[Breach]:
    """Every way to breach the contract: column by column and rule by rule, then the groups."""
    texts = {column.label: shown(column, provider.format) for column in campaign.exported}
    for label, rules in provider.columns.items():
        if label in texts:
            yield from column_breaches(label, texts[label], rules)
    for group in provider.required_one_of:
        if empty := [nothing(texts[label]) for label in group if label in texts]:
            yield Breach(" or ".join(group), "required_one_of", " and ".join(empty), "rows have nothing there")


def column_breaches(label: str, text: str, rules: ColumnContract) -> Iterator[Breach]:
    """What the rules of one column say, in the order in which they count. `text`: SQL of the value as the file shows it."""
    allowed = ", ".join(literal(value) for value in rules.allowed or ())
    found = (
        ("required", nothing(text), "are empty"),
        ("min_length", f"length({text}) < {rules.min_length}", f"are shorter than {rules.min_length} characters"),
        ("max_length", f"length({text}) > {rules.max_length}", f"are longer than {rules.max_length} characters"),
        ("pattern", f"not regexp_full_match({text}, {literal(rules.pattern or '')})", f"do not match {rules.pattern}"),
        ("allowed", f"{text} not in ({allowed})", "are none of the allowed ones"),
        ("upper", f"{text} <> upper({text})", "are not in upper case"),
        ("trimmed", f"regexp_matches({text}, '^{SPACE}|{SPACE}$')", "begin or end with a space"),
    )
    for rule, wrong, what in found:
        if getattr(rules, rule) not in (None, False):
            yield Breach(label, rule, wrong, f"values {what}")


def shown(column: Column, form: Format) -> str:
    """A column's value as the file shows it, without quotes and padding."""
    text = printed(column.name)
    return folded(text) if isinstance(form, FixedWidthFormat) or form.newlines == "fold" else text


def nothing(text: str) -> str:
    """SQL that is true for a value with no sign in it: one of spaces alone prints nothing either."""
    return f"coalesce(regexp_full_match({text}, '{SPACE}*'), true)"


def sift(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, provider: Provider
) -> tuple[Build, Verdicts]:
    """The build and the verdicts without the rows that breach the contract, or as they were where there are none.

    Raises ExtractError with every kind of breach where the provider's `on_breach` is `error`.
    """
    ways = list(breaches(campaign, provider))
    if not ways or not verdicts.included:
        return build, verdicts
    if provider.on_breach == "error":
        refuse(connection, build, ways, campaign, provider)
        return build, verdicts
    excluded, seeds, alike = count_first(connection, build, ways, campaign, identical=IDENTICAL in verdicts.excluded)
    if not excluded and not seeds:
        return build, verdicts
    reasons = {**verdicts.excluded, **excluded}
    # Rows that look alike breach alike: each of them counts as a breach, and as a second print no longer.
    identical = reasons.pop(IDENTICAL, 0) - alike
    if identical:
        reasons[IDENTICAL] = identical
    included = verdicts.included - sum(excluded.values()) + alike
    kept = f"(select * from {build.extract} anti join {BREACHING} using ({quote(KEY)}))"
    return replace(build, extract=kept), replace(verdicts, included=included, excluded=reasons, seeds=verdicts.seeds - seeds)


def refuse(
    connection: duckdb.DuckDBPyConnection, build: Build, ways: list[Breach], campaign: Campaign, provider: Provider
) -> None:
    """Raises ExtractError with every kind of breach, how often, and whose one is; a row counts in each kind."""
    # The filter comes first: a clean extract is looked at once, and nothing of it is counted.
    looks = ", ".join(f"count(*) filter ({way.wrong}), min({quote(KEY)}) filter ({way.wrong})" for way in ways)
    found = connection.execute(f"select {looks} from {build.extract} where {breaching(ways)}").fetchone() or ()
    lines = [
        f"{way.label}: {found[2 * place]:,} {way.what} ({way.rule}), such as that of {KEY} {found[2 * place + 1]}"
        for place, way in enumerate(ways)
        if found[2 * place]
    ]
    if lines:
        raise ExtractError(
            f"{campaign.name} has rows that {provider.label} does not take:\n  " + "\n  ".join(lines),
            todo=f"mend them in the extract; or `on_breach: exclude` of {campaign.mail.provider} in {FILE} leaves such rows out",
        )


def count_first(
    connection: duckdb.DuckDBPyConnection, build: Build, ways: list[Breach], campaign: Campaign, *, identical: bool
) -> tuple[dict[str, int], int, int]:
    """The profiles by their first breach, the seeds that breach, and how many of the profiles' rows look like an earlier one.

    The keys of them all are in the session's table BREACHING, so that the extract is looked at once, however often it is read.
    """
    first = " ".join(f"when {way.wrong} then {place}" for place, way in enumerate(ways))
    seed = f"coalesce({quote(SEED)}, false)" if campaign.has_seeds else "false"
    row = ", ".join(printed(column.name) for column in campaign.exported)
    look = f"md5_number(cast(row({row}) as varchar))" if identical else "null"
    connection.execute(
        f"""
        create or replace temp table {BREACHING} as
        select {quote(KEY)}, case {first} end as place, {seed} as seed, {look} as look
        from {build.extract}
        where {breaching(ways)}
        """
    )
    counts = connection.execute(
        f"select place, seed, count(*), count(distinct look) from {BREACHING} group by place, seed order by place"
    ).fetchall()
    excluded = {ways[place].reason: count for place, is_seed, count, _ in counts if not is_seed}
    seeds = sum(count for _, is_seed, count, _ in counts if is_seed)
    alike = sum(count - looks for _, is_seed, count, looks in counts if not is_seed) if identical else 0
    return excluded, seeds, alike


def breaching(ways: list[Breach]) -> str:
    """SQL that is true for a row that breaches the contract in any way."""
    return " or ".join(f"({way.wrong})" for way in ways)
