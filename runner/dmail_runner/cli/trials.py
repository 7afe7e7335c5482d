"""Prints the results of a route's probes, in a few lines for people."""

from collections.abc import Iterator
from typing import Any

from dmail_runner.cli.base import say
from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import AnyRoute
from dmail_runner.run.route_test import Probes, try_route
from dmail_runner.ship.fitting import Verdict
from dmail_runner.ship.probe import Rest, Settings, Trial

PROOFS = {
    "found": "found under its final name",
    "answered": "the server answered OK",
    "vanished": "it vanished, which the route declares to be the receipt",
}
ONE_STEP = "one step: after an interrupted rename a run can find out whether the file was delivered"
TWO_STEPS = "may be two steps: after an interrupted rename a run may be held until you have asked the provider"
REPLACES = "replaces a file that has the name already: let no other sender use this folder"
NO_COPY = "files of more than 16 MB cannot be delivered, because the store does not copy them to their names"
TAKEN = "is missing: somebody has fetched it; tell the provider that it was a test"
MAYBE_TAKEN = "may have been fetched: tell the provider that it was a test"
NOTHING_HELPS = "no known setting helps: show these lines to the provider"
LEFT = "still exists, or may exist: ask the provider to remove it"


def report(route: AnyRoute, probes: Probes) -> None:
    """Deliver probes by a route, and print the results. Raises DeliveryError if the route cannot be used as it is."""
    say(line("files", "", probes.form.pattern))
    verdict = try_route(route, probes, lambda trial: say("\n".join(trial_lines(trial))))
    for text in verdict_lines(verdict):
        say(text)
    check_verdict(probes.name, verdict)


def trial_lines(trial: Trial) -> Iterator[str]:
    """The lines about one probe."""
    if not trial.settings and trial.described:
        yield line("session", "ok", trial.described)
    said = f"with {written(trial.settings)}: " if trial.settings else ""
    if trial.receipt:
        speed = f"{trial.receipt.bytes:,} bytes in {trial.seconds:.2f} s, {trial.receipt.bytes / trial.seconds / 1e6:,.1f} MB/s"
        yield line("deliver", "ok", f"{said}{speed}; {PROOFS[trial.receipt.proof]}")
    elif trial.fault:
        yield line("deliver", "NO", f"{said}{trial.fault.what}")
    if trial.one_step is not None:
        yield line("rename", "ok", ONE_STEP if trial.one_step else TWO_STEPS)
    yield from removal_lines(trial)


def removal_lines(trial: Trial) -> Iterator[str]:
    """The lines about the names of the probe after its removal."""
    for name in trial.left:
        yield line("remove", "NO", f"{name} {LEFT}")
    if trial.fetched:
        vanished = all(rest is Rest.ABSENT for rest in trial.rests.values())
        yield line("remove", "NO", f"{trial.final} {TAKEN if vanished else MAYBE_TAKEN}")
    elif trial.names and not trial.left:
        yield line("remove", "ok", "the probe was removed")


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """The lines about the result of all probes."""
    if verdict.overwriting.replaces:
        yield line("rename", "NO", REPLACES)
    if verdict.overwriting.no_copy:
        yield line("copy", "NO", f"{NO_COPY}: {verdict.overwriting.no_copy}")
    for name in verdict.overwriting.left:
        yield line("remove", "NO", f"{name} {LEFT}")


def check_verdict(name: str, verdict: Verdict) -> None:
    """Raises DeliveryError if the route cannot be used as it is."""
    if verdict.needs is None:
        first = verdict.trials[0].fault
        raise DeliveryError(f"the route {name} could not deliver a probe", todo=(first and first.todo) or NOTHING_HELPS)
    if verdict.needs:
        raise DeliveryError(
            f"the route {name} cannot be used as it is", todo=f"in profiles/routes.yml, give it {written(verdict.needs)}"
        )


def written(settings: Settings) -> str:
    """Settings as they are written in YAML."""
    return ", ".join(f"`{key}: {value_written(value)}`" for key, value in settings.items())


def value_written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f'"{value}"' if "{" in value else str(value)


def line(what: str, well: str, found: str) -> str:
    return f"{what:<9}{well:<4}{found}"
