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

from dmail_runner.cli.base import AsJson, app, attempt, ended, found_job, loaded, now, say, screen, table, tell, worst
from dmail_runner.core.errors import ConfigError, Stopped

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.run import Run
    from dmail_runner.look.calendar import Entry
    from dmail_runner.project.dbt_process import RunDbt


TICK = 30.0  # seconds between two looks at the clock, at most


def run_due(settings: "Settings", run_dbt: "RunDbt") -> int:
    """Carry out everything that is due, campaign by campaign. Returns the exit code."""
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.run.due import Scheduler, run_all_due
    from dmail_runner.run.notify import Notifier

    settings.prepare()
    ledger = Ledger(settings, now)
    scheduler = Scheduler(ledger, Notifier(find_notices(settings), ledger, tell), say_line)
    try:
        codes = run_all_due(
            settings,
            scheduler,
            load=lambda: load_manifest(settings, run_dbt),
            find=lambda manifest, name: found_job(settings, manifest.campaign(name), run_dbt),
            attempt=attempt,
        )
    finally:
        ledger.engine.dispose()
    return worst(codes)


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
    try:
        with locked(settings.state_dir / "service.lock", "service"), leaving(grace) as left:
            say(f"serving {settings.project_dir}, process {os.getpid()}")
            look_until(left, settings, partial(run_dbt, child=warm, watch=screen.node), heartbeat)
    finally:
        warm.stop()
    say("ended")


def look_until(left: threading.Event, settings: "Settings", run_dbt: "RunDbt", heartbeat: str | None) -> None:
    """Carry out what is due, again and again, until the event is set."""
    while not left.is_set():
        code = attempt(lambda: exit_with(run_due(settings, run_dbt)))
        following = next_moment(settings, run_dbt)
        report(settings, code, following)
        if code in (0, 3) and heartbeat:
            beat(heartbeat)
        wait = (following - datetime.now(UTC)).total_seconds() if following else TICK
        left.wait(min(max(wait, 0.1), TICK))


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
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.calendar import calendar as slots_between

    settings, manifest = loaded(context.obj)
    entries = slots_between(manifest, Ledger(settings, now), now(), now() + timedelta(weeks=weeks))
    if as_json:
        say(json.dumps({"slots": [calendar_json(entry) for entry in entries]}, indent=2))
    elif entries:
        table([["slot (UTC)", "as scheduled", "campaign"], *map(calendar_row, entries)])
    else:
        say(f"no slot in the next {weeks} weeks")


def calendar_json(entry: "Entry") -> dict[str, str | int | None]:
    """A slot as programs read it."""
    return {"slot": f"{entry.at:%Y-%m-%dT%H:%M:%SZ}", "local": entry.wall, "campaign": entry.campaign, "wave": entry.wave}


def calendar_row(entry: "Entry") -> list[str]:
    """A slot as people read it."""
    campaign = f"{entry.campaign} wave {entry.wave}" if entry.wave else entry.campaign
    return [f"{entry.at:%a %Y-%m-%d %H:%M}", entry.wall.replace("T", " "), campaign]
