"""What is due: once, for a scheduler of the house, or for ever, as a service; and a calendar of what comes."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import AsJson, app, attempt, ended, found_job, now, say, screen, table, tell
from dmail_runner.core.errors import ConfigError, Stopped

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.run import Run
    from dmail_runner.project.dbt_process import RunDbt


TICK = 30.0  # seconds between two looks at the clock, at most


def run_due(settings: "Settings", run_dbt: "RunDbt") -> int:
    """Carry out everything that is due, campaign by campaign; the exit code that it earned."""
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.ledger.database import LedgerError
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.run.due import Attendant
    from dmail_runner.run.job import shared_names
    from dmail_runner.run.notify import Herald, Notice

    settings.prepare()
    ledger = Ledger(settings, now)
    herald = Herald(find_notices(settings), ledger, tell)
    attendant = Attendant(ledger, herald, say_line)
    codes = [0]

    @contextmanager
    def mended_by_people(what: str) -> Iterator[None]:
        """A wrong declaration is told of, too, and a ledger that nobody may trust: what they stop would be missed in silence."""
        try:
            yield
        except (ConfigError, LedgerError) as error:
            todo = error.todo or "mend it; dmail-runner check finds every fault at once"
            herald.announce(Notice("failed", what, error.what, todo))
            raise

    def attend(name: str) -> None:
        with mended_by_people(name):
            job = found_job(settings, manifest.campaign(name), run_dbt)
        for fault in attendant.attend(job, now()):
            codes.append(attempt(partial(throw, fault)))

    try:
        with mended_by_people("all campaigns"):
            ledger.confront()
            manifest = load_manifest(settings, run_dbt)
            if faults := [*manifest.orphans(), *shared_names(settings, manifest)]:
                raise ConfigError(faults)
        codes += [attempt(partial(attend, name)) for name in manifest.names]
    finally:
        ledger.engine.dispose()
    return next((code for code in (1, 2, 3) if code in codes), 0)


def throw(fault: Exception) -> None:
    raise fault


def say_line(run: "Run") -> None:
    """One line about a run that has ended."""
    ended(run)
    pieces = f"  {run.verdicts.included:,} pieces" if run.verdicts else ""
    say(f"{run.run_id}  {run.state}{pieces}" + (f"  ({run.error})" if run.error else ""))


@app.command()
def serve(
    context: typer.Context,
    grace: Annotated[int, typer.Option(min=0, help="Seconds that a run may go on when the service is asked to end.")] = 60,
    heartbeat: Annotated[
        str | None, typer.Option(envvar="DMAIL_HEARTBEAT", help="A URL that is asked for after each look that went well.")
    ] = None,
) -> None:
    """Stay, and carry out every slot when it is due. SIGTERM ends it. `.dmail/service.json` says how it is.

    Example: dmail-runner serve --heartbeat https://hc.example.com/ping/dmail
    """
    from dmail_runner.core.lock import locked
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.warm import WarmDbt

    settings = context.obj.settings()
    settings.prepare()
    warm = WarmDbt()
    dbt = partial(run_dbt, child=warm, watch=screen.node)
    try:
        with locked(settings.state_dir / "service.lock", "service"), leaving(grace) as left:
            say(f"serving {settings.project_dir}, process {os.getpid()}")
            while not left.is_set():
                code = attempt(lambda: exit_with(run_due(settings, dbt)))
                following = next_moment(settings, dbt)
                report(settings, code, following)
                if code in (0, 3) and heartbeat:
                    beat(heartbeat)
                wait = (following - datetime.now(UTC)).total_seconds() if following else TICK
                left.wait(min(max(wait, 0.1), TICK))
    finally:
        warm.stop()
    say("ended")


def exit_with(code: int) -> None:
    if code:
        raise typer.Exit(code)


@contextmanager
def leaving(grace: int) -> Iterator[threading.Event]:
    """An event that a signal sets; what is still at work `grace` seconds later is stopped."""
    left = threading.Event()

    def ask(number: int, _: object) -> None:
        if not left.is_set():
            tell(f"ending    by {signal.Signals(number).name}, within {grace} s")
            left.set()
            signal.setitimer(signal.ITIMER_REAL, max(grace, 0.01))

    def insist(_: int, __: object) -> None:
        raise Stopped(signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    signal.signal(signal.SIGALRM, insist)
    try:
        yield left
    except Stopped:
        tell("stopped  what was under way goes on with the next start")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def next_moment(settings: "Settings", run_dbt: "RunDbt") -> datetime | None:
    """The next slot of any campaign; None where nothing can be said."""
    from dmail_runner.plan.slots import next_slot
    from dmail_runner.project.manifest import load_manifest

    found = []
    try:
        manifest = load_manifest(settings, run_dbt)
        for name in manifest.names:
            mail = manifest.campaign(name).mail
            if mail.status == "active" and mail.schedule and (slot := next_slot(mail.schedule, now())):
                found.append(slot)
    except ConfigError:
        return None  # told by the look before
    return min(found, default=None)


def report(settings: "Settings", code: int, following: datetime | None) -> None:
    """Write how the service is, for whoever watches it."""
    path: Path = settings.state_dir / "service.json"
    state = {
        "process": os.getpid(),
        "looked_at": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        "exit_code": code,
        "next_slot": f"{following:%Y-%m-%dT%H:%M:%SZ}" if following else None,
    }
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(state, indent=2) + "\n")
    new.replace(path)


def beat(url: str) -> None:
    """Tell the watcher that all is well; one that does not answer disturbs nothing."""
    import requests

    try:
        requests.get(url, timeout=10)
    except requests.RequestException as error:
        tell(f"note     the heartbeat was not taken: {type(error).__name__}")


@app.command()
def calendar(
    context: typer.Context,
    weeks: Annotated[int, typer.Option(min=1, max=520, help="How many weeks from now.")] = 4,
    as_json: AsJson = False,
) -> None:
    """The slots of the next weeks, campaign by campaign, waves among them.

    Example: dmail-runner calendar --weeks 8
    """
    from itertools import takewhile

    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.plan.slots import slots_after, wave_slots
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest

    settings = context.obj.settings()
    end = now() + timedelta(weeks=weeks)
    rows: list[tuple[datetime, str, str, int | None]] = []
    manifest = load_manifest(settings, run_dbt)
    ledger = Ledger(settings, now)
    for name in manifest.names:
        mail = manifest.campaign(name).mail
        if mail.status != "active" or not mail.schedule:
            continue
        begun = (run for run in ledger.unfinished(name) if run.wave and now() < run.slot <= end)
        rows += [(run.slot, "its first wave is out", name, run.wave) for run in begun]
        for slot in takewhile(lambda slot: slot.at <= end, slots_after(mail.schedule, now())):
            if mail.waves:
                rows += [
                    (at, slot.wall, name, number)
                    for number, at in enumerate(wave_slots(mail.schedule, mail.waves, slot), start=1)
                ]
            else:
                rows.append((slot.at, slot.wall, name, None))
    rows.sort(key=lambda row: (row[0], row[2]))
    if as_json:
        entries = [
            {"slot": f"{at:%Y-%m-%dT%H:%M:%SZ}", "local": wall, "campaign": name, "wave": wave} for at, wall, name, wave in rows
        ]
        say(json.dumps({"slots": entries}, indent=2))
    elif rows:
        shown = [
            [f"{at:%a %Y-%m-%d %H:%M}", wall.replace("T", " "), f"{name} wave {wave}" if wave else name]
            for at, wall, name, wave in rows
        ]
        table([["slot (UTC)", "as scheduled", "campaign"], *shown])
    else:
        say(f"no slot in the next {weeks} weeks")
