"""What came of a route's probes, in a few lines for a person."""

from collections.abc import Iterator
from typing import Any

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.fitting import Verdict
from dmail_runner.ship.probe import Settings, Trial

PROOFS = {
    "found": "found under its final name",
    "answered": "the server answered OK",
    "vanished": "it vanished, which is the receipt",
}
ONE_STEP = "in one step: if it is not answered, a run can tell what came of it"
TWO_STEPS = "perhaps in two steps: if it is not answered, a run may be held until you have asked the provider"
REPLACES = "it replaces a file that has the name: no other sender may use this directory"
GONE = "is not there any more: somebody has fetched it, or may have; tell the provider that it was a test"
LEFT = "is still there, or may be: ask the provider to remove it"


def trial_lines(trial: Trial) -> Iterator[str]:
    """One probe."""
    if not trial.settings and trial.described:
        yield line("session", "ok", trial.described)
    said = f"with {written(trial.settings)}: " if trial.settings else ""
    if trial.receipt:
        speed = f"{trial.receipt.bytes:,} bytes in {trial.seconds:.2f} s, {trial.receipt.bytes / trial.seconds / 1e6:,.1f} MB/s"
        yield line("deliver", "ok", f"{said}{speed}; {PROOFS[trial.receipt.proof]}")
    else:
        yield line("deliver", "NO", f"{said}{trial.fault.what if trial.fault else ''}")
    if trial.one_step is not None:
        yield line("rename", "ok", ONE_STEP if trial.one_step else TWO_STEPS)
    yield from (line("remove", "NO", f"{name} {LEFT}") for name in trial.left)
    if trial.fetched:
        yield line("remove", "NO", f"{trial.final} {GONE}")


def judged(name: str, verdict: Verdict) -> str:
    """The verdict on a route. Raises DeliveryError if it cannot be used as it is."""
    if verdict.needs is None:
        first = verdict.trials[0].fault
        raise DeliveryError(f"by the route {name} no probe could be delivered", todo=first.todo if first else None)
    if verdict.needs:
        raise DeliveryError(
            f"the route {name} cannot be used as it is", todo=f"in profiles/routes.yml, give it {written(verdict.needs)}"
        )
    note = f"\n{line('rename', 'NO', REPLACES)}" if verdict.replaces else ""
    return f"the route {name} does what a delivery needs{note}"


def written(settings: Settings) -> str:
    """Settings as YAML has them."""
    return ", ".join(f"`{key}: {value_written(value)}`" for key, value in settings.items())


def value_written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f'"{value}"' if "{" in value else str(value)


def line(what: str, well: str, found: str) -> str:
    return f"{what:<9}{well:<4}{found}"
