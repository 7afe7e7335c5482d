"""The command that plans the sizes of cells."""

import re
from dataclasses import asdict
from typing import Annotated

import typer

from dmail_runner.cli.base import AsJson, Name, app, open_ledger, say, say_json
from dmail_runner.core.errors import UsageError

Lift = Annotated[
    str, typer.Option(metavar="PERCENT", help="The smallest difference to find, in percentage points, such as 0.3%.")
]
Rate = Annotated[
    str | None,
    typer.Option(
        metavar="PERCENT", help="The response rate without the mailing. The default is the control group's, if it is known."
    ),
]
Power = Annotated[str, typer.Option(metavar="PERCENT", help="The probability of finding the difference.")]


def share(option: str, text: str) -> float:
    """A share from 0 to 1. Raises UsageError for anything else than a percentage."""
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?%", text, re.ASCII):
        raise UsageError(f"{option} {text!r} is not a percentage", todo=f"such as {option} 2.5%")
    return float(text.removesuffix("%")) / 100


def base_rate(given: str | None, known: float | None, campaign: str) -> float:
    """The response rate without the mailing: the given one, or that of the control group. Raises UsageError if there is none."""
    if given is not None:
        return share("--rate", given)
    if known is None:
        raise UsageError(
            f"the results of {campaign} have no control group yet, so that --rate is required", todo="such as --rate 2%"
        )
    return known


@app.command()
def power(
    context: typer.Context, campaign: Name, lift: Lift, rate: Rate = None, power: Power = "80%", as_json: AsJson = False
) -> None:
    """Plan the sizes of cells and control group: how many units show a lift, and what the last file would show.

    It runs no dbt, and needs the extra `results`. The test is two-sided, at a level of 5%.

    Example: dmail-runner power spring_catalog --lift 0.3% --rate 2%
    """
    from dmail_runner.look.power import Plan, check_plan, known_rate, power_lines, power_report

    settings, ledger = open_ledger(context.obj)
    known = known_rate(settings, campaign) if rate is None else None
    plan = Plan(base_rate(rate, known, campaign), share("--lift", lift), share("--power", power))
    check_plan(plan)
    found = power_report(settings, ledger, campaign, plan)
    if as_json:
        say_json(asdict(found))
    else:
        say("\n".join(power_lines(found)))
