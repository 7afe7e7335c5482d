"""Finds the settings that a server needs, by delivering probes. Each one changes the setting that may solve the last error."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dmail_runner.core.errors import Held
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.overwriting import Overwriting, overwrites
from dmail_runner.ship.probe import Rest, Settings, Stage, Trial, try_probe

DEEPEST = 6  # the largest number of settings that are changed
FORMS = (".{name}", "tmp/{name}", "{name}")  # temporary names, for servers that do not accept every name


@dataclass(frozen=True)
class Verdict:
    """The result of a route test.

    Attributes:
        trials: the probes. The first one uses the route as it is declared.
        needs: the settings to change; empty if the route works as it is; None if no settings were found that work.
        overwriting: the result of giving a file the name of another file.

    """

    trials: tuple[Trial, ...]
    needs: Settings | None
    overwriting: Overwriting = field(default_factory=Overwriting)

    @property
    def left(self) -> tuple[str, ...]:
        """The names that still have, or may have, a probe's content."""
        return tuple(dict.fromkeys([*(name for trial in self.trials for name in trial.left), *self.overwriting.left]))


def judge(
    route: AnyRoute,
    probe: Callable[[int], Spooled],
    heard: Callable[[Trial], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Verdict:
    """Deliver a probe by a route. If that fails, search for settings with which it succeeds.

    Args:
        route: the route as it is declared.
        probe: makes the nth probe, each with a name of its own.
        heard: called with each trial after it.
        wait: waits for a number of seconds before another session.

    """
    trials: list[Trial] = []

    def attempt(settings: Settings) -> Trial:
        trials.append(try_probe(route, settings, probe(len(trials)), wait))
        heard(trials[-1])
        return trials[-1]

    needs = search(route, attempt)
    first = trials[0]
    if needs != {} or first.fetched or first.left or first.sessions > 1:
        return Verdict(tuple(trials), needs)
    return Verdict(tuple(trials), needs, overwrites(route, probe(1), probe(2)))


def search(route: AnyRoute, attempt: Callable[[Settings], Trial]) -> Settings | None:
    """The settings with which a probe is delivered, or None. A change is kept if the probe gets further with it."""
    latest = attempt({})
    for _ in range(DEEPEST):
        if latest.receipt:
            return latest.settings
        for change in remedies(route.model_copy(update=dict(latest.settings)), latest):
            trial = attempt({**latest.settings, **change})
            if trial.receipt or trial.stage > latest.stage:
                latest = trial
                break
        else:
            return None
    return None


def remedies(route: AnyRoute, trial: Trial) -> Iterator[Settings]:
    """The settings that may solve a probe's error, the least intrusive first. An object store has none."""
    if not isinstance(route, SftpRoute | FolderRoute) or not isinstance(trial.fault, Refused | Held):
        return
    match trial.stage:
        case Stage.NOTHING:
            yield {"verify": "trust"}
        case Stage.CREATING:
            yield from for_names(route)
        case Stage.CLOSING:
            yield for_closed_file(route, trial)
        case Stage.PUBLISHING:
            yield from for_rename(route, trial)


def for_names(route: SftpRoute | FolderRoute) -> Iterator[Settings]:
    """The settings for a file that could not be created: the server refuses folder requests, or accepts only certain names."""
    if isinstance(route, SftpRoute) and route.make_directory:
        yield {"make_directory": False}
    if route.finish == "rename":
        yield from ({"temporary": form} for form in FORMS if form != route.temporary)


def for_closed_file(route: SftpRoute | FolderRoute, trial: Trial) -> Settings:
    """The setting for a file that is not shown after its close: the server hides it, or has fetched it."""
    if Rest.REMOVED in trial.rests.values() or not isinstance(trial.fault, Held):
        return {"verify": "trust"}
    return {"taken": "at_close"} if route.finish == "direct" else {"finish": "direct", "taken": "at_close"}


def for_rename(route: SftpRoute | FolderRoute, trial: Trial) -> Iterator[Settings]:
    """The settings for a rename without a certain result: the server fetches renamed files, or cannot rename."""
    if route.taken is None and all(rest is Rest.ABSENT for rest in trial.rests.values()):
        yield {"taken": "at_rename"}
    yield {"finish": "direct", "taken": None} if route.taken else {"finish": "direct"}
