"""Options that choose runs of the ledger."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.completion import campaign_names

if TYPE_CHECKING:
    from dmail_runner.ledger.ledger import Ledger

OfCampaign = Annotated[
    str | None, typer.Option("--campaign", metavar="CAMPAIGN", help="Runs of this campaign.", autocompletion=campaign_names)
]
OfState = Annotated[str | None, typer.Option("--state", metavar="STATE", help="Runs in this state, such as held or delivered.")]
Since = Annotated[str | None, typer.Option(metavar="DATE", help="Runs with a slot on or after this day, such as 2027-03-01.")]
Long = Annotated[bool, typer.Option("--long", help="Print the figures and files of each run.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000_000, help="The number of runs.")]


def parse_day(day: str | None) -> datetime | None:
    """The beginning of a day in UTC. Raises BadParameter."""
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) if day else None
    except ValueError:
        raise typer.BadParameter(f"{day!r} is not a day, such as 2027-03-01", param_hint="--since") from None


def known_state(state: str | None) -> str | None:
    """A state of runs as the ledger has it, from its own word or that for people. Raises BadParameter for another word."""
    from dmail_runner.ledger.run import SPOKEN, STATES, spoken

    meant = {word: of_ledger for of_ledger, word in SPOKEN.items()}.get(state or "", state)
    if meant is not None and meant not in STATES:
        raise typer.BadParameter(f"is one of {', '.join(map(spoken, STATES))}", param_hint="--state")
    return meant


def no_run(ledger: "Ledger", campaign: str | None) -> str:
    """What is printed if the ledger has no such run: for a misspelt campaign, with a suggestion."""
    from dmail_runner.core.suggest import similar_name

    names = ledger.campaigns(finished=True)
    similar = similar_name(campaign, names) if campaign and campaign not in names else None
    return f"no run of {campaign}; {similar}" if similar else "no run"
