"""The volume gate: holds a run whose number of pieces is unusual, or too small for the postal class."""

from collections.abc import Iterator

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held, Problem
from dmail_runner.core.values import Churn, Limit, Verdicts
from dmail_runner.declare.campaign import Campaign, Guard
from dmail_runner.declare.provider import Provider


def postal_class_faults(campaign: Campaign, provider: Provider) -> Iterator[Problem]:
    """Errors in a campaign's postal class: the provider does not have it, or requires one."""
    chosen, key = campaign.mail.postal_class, f"exposures.{campaign.name}.config.meta.direct_mail.postal_class"
    if chosen is None and provider.postal_classes:
        yield Problem(campaign.file, key, f"is required by {campaign.mail.provider}", ", ".join(provider.postal_classes))
    if chosen is not None and chosen not in provider.postal_classes:
        allowed = ", ".join(provider.postal_classes) or "none"
        yield Problem(campaign.file, key, f"{campaign.mail.provider} has no class {chosen!r}", allowed)


def check_volume(campaign: Campaign, provider: Provider, verdicts: Verdicts, last: int | None) -> None:
    """Check the number of pieces against the campaign's guard and its postal class.

    Args:
        provider: its provider.
        verdicts: the run's figures.
        last: the number of pieces of the last settled run, if there is one.

    Raises:
        Held: if a limit is exceeded.
    """
    faults = [
        *volume_faults(campaign.mail.guard, verdicts.included, last),
        *churn_faults(campaign.mail.guard, last, verdicts.churn),
        *class_faults(campaign, provider, verdicts.included),
    ]
    if faults:
        raise Held(
            "volume",
            f"{campaign.name}: {'; '.join(text for text, _ in faults)}: nothing was delivered",
            todo=f"dmail-runner diff {campaign.name} --slot SLOT shows why; dmail-runner release RUN --reason ... delivers it; "
            "`run --accept volume` with its `--slot` accepts it in advance",
            limits=[limit for _, limit in faults if limit],
        )


def volume_faults(guard: Guard, included: int, last: int | None) -> Iterator[tuple[str, Limit | None]]:
    """The limits that a number of pieces exceeds, each with its text."""
    pieces = counted(included, "piece is", "pieces are")
    if guard.min_rows is not None and included < guard.min_rows:
        yield f"{pieces} fewer than min_rows, {guard.min_rows:,}", Limit("min_rows", "included", guard.min_rows)
    if guard.max_rows is not None and included > guard.max_rows:
        yield f"{pieces} more than max_rows, {guard.max_rows:,}", Limit("max_rows", "included", guard.max_rows)
    if guard.max_change is not None and last and abs(included - last) > guard.max_change * last:
        change = (included - last) / last
        pieces = counted(included, "piece")
        bound = last + (guard.max_change if change > 0 else -guard.max_change) * last
        text = f"{pieces} after {last:,} in the last run: {change:+.1%}, more than max_change, {guard.max_change:.0%}"
        yield text, Limit("max_change", "included", round(bound))


def churn_faults(guard: Guard, last: int | None, churn: Churn | None) -> Iterator[tuple[str, Limit | None]]:
    """The limits that the difference from the last run exceeds, each with its text."""
    if guard.max_churn is None or not last:
        return
    if churn is None:
        yield "max_churn cannot be checked: the contact history of the last run is missing", None
        return
    for people, how in ((churn.came, "came"), (churn.went, "went")):
        if people > guard.max_churn * last:
            text = (
                f"{counted(people, 'person', 'people')} {how} since the last run's {counted(last, 'piece')}, "
                f"{people / last:.1%}: more than max_churn, {guard.max_churn:.0%}"
            )
            yield text, Limit("max_churn", how, round(guard.max_churn * last))


def class_faults(campaign: Campaign, provider: Provider, included: int) -> Iterator[tuple[str, Limit | None]]:
    """The minimum of the postal class, if the number of pieces is below it, with its text."""
    chosen = campaign.mail.postal_class
    if chosen and 0 < included < (minimum := provider.postal_classes[chosen].min_pieces):
        pieces = counted(included, "piece is", "pieces are")
        yield f"{pieces} too few for {chosen}, which needs {minimum:,}", Limit("min_pieces", "included", minimum)
