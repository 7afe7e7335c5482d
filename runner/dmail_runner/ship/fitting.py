"""Which settings a server needs: probes are delivered, each with one more setting that answers what stopped the one before."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dmail_runner.core.errors import Held
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.overwriting import Overwriting, overwrites
from dmail_runner.ship.probe import Rest, Settings, Stage, Trial, try_probe

DEEPEST = 6  # settings that are changed one after another
FORMS = (".{name}", "tmp/{name}", "{name}")  # temporary names, for servers that do not take every name


@dataclass(frozen=True)
class Verdict:
    """What a route test found.

    Attributes:
        trials: the probes, the first one by the route as it is.
        needs: the settings to change. Empty: none. None: no settings were found by which a probe is delivered.
        overwriting: what a rename does if another file has the new name.

    """

    trials: tuple[Trial, ...]
    needs: Settings | None
    overwriting: Overwriting = field(default_factory=Overwriting)

    @property
    def left(self) -> tuple[str, ...]:
        """Names that have a probe's bytes still, or may have them."""
        return tuple(dict.fromkeys([*(name for trial in self.trials for name in trial.left), *self.overwriting.left]))


def judge(
    route: AnyRoute,
    probe: Callable[[int], Spooled],
    heard: Callable[[Trial], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Verdict:
    """Deliver a probe by a route, and if that fails, search settings by which it does not.

    Args:
        route: the route as it is declared.
        probe: makes the nth probe, each with a name of its own.
        heard: is told of each trial when it has ended.
        wait: waits for so many seconds before another session.

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
    """The settings by which a probe is delivered. A change stays if the probe comes further by it."""
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
    """The settings that may answer what stopped a probe, the mildest first. An object store has none."""
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
    """The file could not be created: the server refuses questions about folders, or takes only certain names."""
    if isinstance(route, SftpRoute) and route.make_directory:
        yield {"make_directory": False}
    if route.finish == "rename":
        yield from ({"temporary": form} for form in FORMS if form != route.temporary)


def for_closed_file(route: SftpRoute | FolderRoute, trial: Trial) -> Settings:
    """The file is not shown after its close: somebody takes files as they are closed, unless it was there to be removed."""
    if Rest.REMOVED in trial.rests.values() or not isinstance(trial.fault, Held):
        return {"verify": "trust"}
    return {"taken": "at_close"} if route.finish == "direct" else {"finish": "direct", "taken": "at_close"}


def for_rename(route: SftpRoute | FolderRoute, trial: Trial) -> Iterator[Settings]:
    """The file was not renamed, or nobody knows: vanishing may be the receipt, or the file has its final name from the start."""
    if route.taken is None and all(rest is Rest.ABSENT for rest in trial.rests.values()):
        yield {"taken": "at_rename"}
    yield {"finish": "direct", "taken": None} if route.taken else {"finish": "direct"}
