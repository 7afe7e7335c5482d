"""Commands about schedules: the resident service, which runs what is due, and the calendar. `run --due` is in cli/run."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import (
    AsJson,
    app,
    attempt,
    log_end,
    now,
    open_job,
    open_project,
    say,
    say_json,
    say_table,
    screen,
    tell,
)
from dmail_runner.cli.coming import idle_lines
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Stopped, worst
from dmail_runner.ledger.run import spoken

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.look import calendar as look
    from dmail_runner.project.dbt_process import RunDbt
    from dmail_runner.project.warm import WarmDbt
    from dmail_runner.run.due import Scheduler
    from dmail_runner.run.notify import Notifier


Grace = Annotated[int, typer.Option(min=0, help="Seconds that a run may continue after the signal to end.")]
Heartbeat = Annotated[
    str | None, typer.Option(envvar="DMAIL_HEARTBEAT", help="A URL to request after each check without errors.")
]
AllowHttp = Annotated[bool, typer.Option("--allow-http", help="Allow an http address for the heartbeat.")]
DueNow = Annotated[bool, typer.Option("--due", help="Show what `run --due` would do now, and do nothing.")]
Weeks = Annotated[int, typer.Option(min=1, max=520, help="The number of weeks from now.")]


def run_due(settings: "Settings", run_dbt: "RunDbt", *, idle: bool = False) -> int:
    """Carry out everything that is due, campaign by campaign. Returns the exit code.

    `idle`: print what comes next if nothing was due.
    """
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.run.drafts import load_project
    from dmail_runner.run.due import Scheduler, open_ledger
    from dmail_runner.run.notify import Notifier

    settings.prepare()
    notices = find_notices(settings)
    ledger = open_ledger(settings, now, notices, tell)
    notifier = Notifier(notices, ledger, tell)
    try:
        fetched = attempt(lambda: fetch_due(settings, Scheduler(ledger, notifier, say_run)))
        ended, codes = carry_out_due(settings, ledger, notifier, run_dbt)
        if idle and not ended and not any(codes):
            say("\n".join(idle_lines(load_project(settings, run_dbt, now), ledger, now())))
    finally:
        ledger.engine.dispose()
    return worst([fetched, *codes])


def fetch_due(settings: "Settings", scheduler: "Scheduler") -> int:
    """Receive the files that providers have sent. Mailings continue without them. Returns the exit code."""
    from dmail_runner.run.fetch import fetch, lines

    with scheduler.errors_announced("received files"):
        found = fetch(settings, scheduler.ledger, scheduler.notifier, tell, due=True)
    if found.files:
        say("\n".join(lines(found)))
    for error in found.errors:
        tell(f"error: {error}")
    return 1 if found.errors else 0


def carry_out_due(
    settings: "Settings", ledger: "Ledger", notifier: "Notifier", run_dbt: "RunDbt"
) -> "tuple[list[Run], list[int]]":
    """Carry out everything that is due. Returns the runs that have ended, and the exit codes of all steps."""
    from dmail_runner.run.drafts import load_project
    from dmail_runner.run.due import Scheduler, run_all_due

    ended: list[Run] = []

    def end(run: "Run") -> None:
        ended.append(run)
        say_run(run)

    codes = run_all_due(
        settings,
        Scheduler(ledger, notifier, end),
        load=lambda: load_project(settings, run_dbt, now),
        find=lambda manifest, name: open_job(settings, manifest.campaign(name), run_dbt),
        attempt=attempt,
        tell=tell,
    )
    return ended, codes


def say_run(run: "Run") -> None:
    """Print one line about a run that has ended."""
    log_end(run)
    pieces = f"  {counted(run.verdicts.included, 'piece')}" if run.verdicts else ""
    say(f"{run.run_id}  {spoken(run.state)}{pieces}" + (f"  ({run.error})" if run.error else ""))


@app.command()
def serve(context: typer.Context, grace: Grace = 60, heartbeat: Heartbeat = None, allow_http: AllowHttp = False) -> None:
    """Run as a service that carries out each slot when it is due. SIGTERM ends it. `.dmail/service.json` has its state.

    Example: dmail-runner serve --heartbeat https://hc.example.com/ping/dmail
    """
    from dmail_runner.core.http import check_https
    from dmail_runner.core.lock import locked
    from dmail_runner.project.inputs import project_state
    from dmail_runner.project.warm import WarmDbt

    if heartbeat:
        check_https(heartbeat, "--heartbeat", allow_http=allow_http)
    settings = context.obj.settings()
    settings.prepare()
    warm = WarmDbt(partial(project_state, settings))
    try:
        with locked(settings.state_dir / "service.lock", "service"), end_by_signal(grace) as ending:
            say(f"serving {settings.project_dir}, process {os.getpid()}")
            serve_until(ending, settings, warm, heartbeat)
    finally:
        warm.stop()
    say("ended")


def serve_until(ending: threading.Event, settings: "Settings", warm: "WarmDbt", heartbeat: str | None) -> None:
    """Serve a project until the event is set."""
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.run.drafts import load_project
    from dmail_runner.run.service import Service

    run_warm = partial(run_dbt, child=warm, watch=screen.show_node)
    service = Service(
        state_file=settings.state_dir / "service.json",
        run_due=lambda: attempt(lambda: run_due(settings, run_warm)),
        load=lambda: load_project(settings, run_warm, now),
        now=now,
        tell=tell,
        heartbeat=heartbeat,
    )
    service.serve(ending)


@contextmanager
def end_by_signal(grace: int) -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGINT and SIGHUP set. A run that continues for more than `grace` seconds is stopped."""
    ending = threading.Event()

    def ask(number: int, _: object) -> None:
        if not ending.is_set():
            tell(f"ending    by {signal.Signals(number).name}, within {grace} s")
            ending.set()
            signal.setitimer(signal.ITIMER_REAL, max(grace, 0.01))

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    signal.signal(signal.SIGALRM, stop_run)
    try:
        yield ending
    except Stopped:
        tell("stopped  the interrupted run continues at the next start")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def stop_run(_: int, __: object) -> None:
    """Handle the signal of the timer: the grace period is over."""
    raise Stopped(signal.SIGTERM)


@app.command()
def calendar(context: typer.Context, weeks: Weeks = 4, due: DueNow = False, as_json: AsJson = False) -> None:
    """Show the slots of the next weeks for all active campaigns, with the waves of each mailing.

    Example: dmail-runner calendar --weeks 8
    """
    from dmail_runner.cli.text import calendar_json
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.calendar import calendar as slots_between
    from dmail_runner.look.calendar import due_now, with_arrivals

    settings, manifest = open_project(context.obj)
    ledger = Ledger(settings, now)
    if due:
        say_due(due_now(manifest, ledger, now()), as_json=as_json)
        return
    entries = with_arrivals(manifest, settings, slots_between(manifest, ledger, now(), now() + timedelta(weeks=weeks)))
    if as_json:
        say_json({"slots": [calendar_json(entry) for entry in entries]})
    elif entries:
        say_calendar(entries)
    else:
        say(f"no slot in the next {counted(weeks, 'week')}")


def say_calendar(entries: "list[look.Entry]") -> None:
    """Print slots as a table."""
    from dmail_runner.cli.text import calendar_row

    waits = "waits for" if any(entry.why for entry in entries) else ""
    dates = ["drop", "in home"] if any(entry.comes for entry in entries) else []
    rows = [calendar_row(entry, dates=bool(dates)) for entry in entries]
    say_table([["slot (UTC)", "as scheduled", "campaign", *dates, waits], *rows])


def say_due(entries: "list[look.DueNow]", *, as_json: bool) -> None:
    """Print what `run --due` would do."""
    from dmail_runner.ledger.run import instant

    if as_json:
        say_json({"due": [{"slot": instant(e.at), "run_id": e.run_id, "what": e.what, "why": e.why} for e in entries]})
    elif entries:
        say_table([["slot (UTC)", "run", "what", "why"], *([f"{e.at:%Y-%m-%d %H:%M}", e.run_id, e.what, e.why] for e in entries)])
    else:
        say("nothing is due")
