"""Gates that hold a run until a person has looked: a volume that is not the usual one, and people who have opted out."""

from collections.abc import Iterator

import duckdb

from runner.campaign import SEED, Campaign, Guard
from runner.errors import Held, Problem
from runner.project import KEY
from runner.provider import Provider
from runner.values import Build, Churn, Verdicts
from runner.warehouse import printed, quote

# What consent_value() makes of every way to say no.
REFUSED = ("n", "dn", "?")


def class_faults(campaign: Campaign, provider: Provider) -> Iterator[Problem]:
    """A postal class that the provider does not know, or none where it has several."""
    chosen, key = campaign.mail.postal_class, f"exposures.{campaign.name}.config.meta.direct_mail.postal_class"
    if chosen is None and provider.postal_classes:
        yield Problem(campaign.file, key, f"is required by {campaign.mail.provider}", ", ".join(provider.postal_classes))
    if chosen is not None and chosen not in provider.postal_classes:
        allowed = ", ".join(provider.postal_classes) or "none"
        yield Problem(campaign.file, key, f"{campaign.mail.provider} has no class {chosen!r}", allowed)


def check_volume(campaign: Campaign, provider: Provider, verdicts: Verdicts, last: int | None) -> None:
    """Raises Held where the guard, or the postal class, does not let so many pieces pass.

    `last`: the pieces of the last settled run, if any.
    """
    faults = list(volume_faults(campaign.mail.guard, verdicts.included, last))
    faults += churn_faults(campaign.mail.guard, last, verdicts.churn)
    if campaign.mail.postal_class and 0 < verdicts.included < (
        least := provider.postal_classes[campaign.mail.postal_class].min_pieces
    ):
        faults.append(f"{verdicts.included:,} pieces are too few for {campaign.mail.postal_class}, which takes {least:,}")
    if faults:
        raise Held(
            "volume",
            f"{campaign.name}: {'; '.join(faults)}: nothing was delivered",
            todo="find out why (dmail-runner diff, explain); `dmail-runner release RUN` or `--accept volume` lets this slot pass",
        )


def volume_faults(guard: Guard, included: int, last: int | None) -> Iterator[str]:
    """What is unusual about a number of pieces."""
    if guard.min_rows is not None and included < guard.min_rows:
        yield f"{included:,} pieces are fewer than min_rows, {guard.min_rows:,}"
    if guard.max_rows is not None and included > guard.max_rows:
        yield f"{included:,} pieces are more than max_rows, {guard.max_rows:,}"
    if guard.max_change is not None and last and abs(included - last) > guard.max_change * last:
        change = (included - last) / last
        yield f"{included:,} pieces after {last:,} last time are {change:+.1%}, more than max_change, {guard.max_change:.0%}"


def churn_faults(guard: Guard, last: int | None, churn: Churn | None) -> Iterator[str]:
    """What is unusual about who came and went."""
    if guard.max_churn is None or not last:
        return
    if churn is None:
        yield "max_churn cannot be looked at: the contact history of the last run is gone"
        return
    for people, how in ((churn.came, "came"), (churn.went, "went")):
        if people > guard.max_churn * last:
            yield (
                f"{people:,} people {how} since the last run's {last:,} pieces, {people / last:.1%}: "
                f"more than max_churn, {guard.max_churn:.0%}"
            )


def check_opt_outs(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> None:
    """Raises Held where anybody in the extract has said no, or stands on a list, whatever the rules said.

    A mailing that people get by contract asks nobody: `purpose: contractual`.
    """
    if campaign.mail.purpose != "marketing":
        return
    key = quote(KEY)
    rows = f"(select {key} from {build.extract}" + (f" where not coalesce({quote(SEED)}, false))" if campaign.has_seeds else ")")
    # One look at a value, which may be a long expression of a view.
    said_no = " or ".join(f"list_contains({list(REFUSED)}, {column})" for column in ("postal_mail_consent", "marketing_consent"))
    valid = "coalesce(valid_from <= {0}, true) and coalesce(valid_until > {0}, true)".format(f"timestamp '{build.as_of}'")
    looks = {
        "have said no": build.profiles and f"select {key} from {build.profiles} where {said_no}",
        "stand on a suppression list": build.suppressions and f"select {key} from {build.suppressions} where {valid}",
    }
    for what, people in looks.items():
        if not people:
            continue
        count, first = connection.execute(
            f"select count(*), min({key}) from {rows} as extract semi join ({people}) as people using ({key})"
        ).fetchone() or (0, None)
        if count:
            raise Held(
                "opt_out",
                f"{campaign.name}: {count:,} people in the file {what}, such as {KEY} {first}: nothing was delivered",
                todo="let the recipients' rules exclude them (consent(), suppressed()); a letter that nobody can refuse is "
                "`purpose: contractual`",
            )


def formulas(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> list[tuple[str, int]]:
    """How many values of each column a spreadsheet would take for a formula; they are printed as they are."""
    names = [column.name for column in campaign.exported]
    looks = ", ".join(f"count(*) filter (contains('=+-@', {printed(name)}[1]))" for name in names)
    counts = connection.execute(f"select {looks} from {build.extract}").fetchone() or ()
    return [(name, count) for name, count in zip(names, counts, strict=True) if count]
