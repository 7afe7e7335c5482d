"""The opt-out gate: holds a run if anybody in the extract has opted out, or cannot be looked up."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import BuildError, Held
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.project.warehouse import quote

# The answers that count as consent, besides a missing answer. consent_value() writes them. Any other answer is a refusal.
CONSENTS = ("y", "dy", "p", "u", "li", "ct", "cp", "vi", "pi")
CONSENT_COLUMNS = ("postal_mail_consent", "marketing_consent")
PROFILES = "dmail_profiles"  # a temporary table


def check_opt_outs(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> None:
    """Check the extract against consents and the suppression lists, independently of the campaign's rules.

    The model with the role `suppressed_profiles` has the profiles on the lists. It matches entries as `suppressed()` does. All
    lists count, including those that the campaign does not name. Campaigns with `purpose: contractual` are not checked.

    Raises:
        Held: if anybody in the extract has refused consent, is on a suppression list, or is not in the model of the profiles.
        BuildError: if one of the models was not built.
    """
    if campaign.mail.purpose != "marketing":
        return
    if build.profiles is None or build.suppressions is None or build.suppressed is None:
        raise BuildError(f"campaign {campaign.name}: the models of the profiles and the suppressions were not built")
    rows = people(build, campaign)
    for one, many, query in opted_out(build):
        count, first = connection.execute(f"select count(*), min({quote(KEY)}) from {rows} as extract {query}").fetchone() or (
            0,
            None,
        )
        if count:
            lists = f": {on_lists(connection, rows, build.suppressed)}" if build.suppressed in query else ""
            raise Held(
                "opt_out",
                f"{campaign.name}: {counted(count, f'person in the file {one}', f'people in the file {many}')}{lists}, such as "
                f"{KEY} {one_line(str(first))}: nothing was delivered",
                todo="exclude them by the recipients' rules (consent(), suppressed()); for a letter that nobody can refuse set "
                "`purpose: contractual`",
            )


def keep_profiles(connection: duckdb.DuckDBPyConnection, build: Build) -> Build:
    """Keep the profiles' keys and consents in a temporary table, because several gates read them and the model may be a view."""
    if build.profiles is None:
        return build
    columns = ", ".join((quote(KEY), *CONSENT_COLUMNS))
    connection.execute(f"create or replace temp table {PROFILES} as select {columns} from {build.profiles}")
    return replace(build, profiles=f"temp.{PROFILES}")


def people(build: Build, campaign: Campaign) -> str:
    """SQL for the profiles in the file, without seed addresses; to follow `from`."""
    key = quote(KEY)
    return f"(select {key} from {build.extract}" + (f" where not coalesce({quote(SEED)}, false))" if campaign.has_seeds else ")")


def opted_out(build: Build) -> Iterator[tuple[str, str, str]]:
    """The kinds of people who must not be mailed: texts for one person and for several, and the join that finds them."""
    key = quote(KEY)
    # list_contains() evaluates the column once; it may be a long expression of a view.
    refused = " or ".join(f"not list_contains({list(CONSENTS)}, {column})" for column in CONSENT_COLUMNS)
    unknown = "not in the model with the role profiles"
    yield f"is {unknown}", f"are {unknown}", f"anti join {build.profiles} as profiles using ({key})"
    no = f"semi join (select {key} from {build.profiles} where {refused}) as profiles using ({key})"
    yield "has said no", "have said no", no
    listed = "on a suppression list"
    yield f"is {listed}", f"are {listed}", f"semi join {build.suppressed} as suppressed using ({key})"


def on_lists(connection: duckdb.DuckDBPyConnection, rows: str, suppressed: str) -> str:
    """The number of the people on each list, by key, such as `3 on deceased by person`."""
    key = quote(KEY)
    counts = connection.execute(
        f"select count(distinct {key}), list_name, matched_by from {suppressed} as suppressed semi join {rows} as extract "
        f"using ({key}) group by all order by all desc"
    ).fetchall()
    return ", ".join(f"{count:,} on {one_line(name)} by {kind}" for count, name, kind in counts)
