"""The command `audit`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import (
    AsJson,
    Reason,
    app,
    now,
    open_job,
    open_ledger,
    open_project,
    print_result,
    say,
    say_json,
    tell,
)
from dmail_runner.core.account import this_account
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import DmailError

if TYPE_CHECKING:
    from dmail_runner.ledger.journal import Mark
    from dmail_runner.ledger.ledger import Ledger

audits = typer.Typer(help="Verify the ledger, continue with an older copy, or encrypt the contact history.", no_args_is_help=True)
app.add_typer(audits, name="audit")

MAX_FAULTS = 50
HISTORY = "the contact history: "  # the beginning of a fault of the contact history

Against = Annotated[Path | None, typer.Option(metavar="FILE", help="Compare with events that `audit export` has written.")]


@audits.command()
def verify(context: typer.Context, as_json: AsJson = False, against: Against = None) -> None:
    """Verify that no event of the ledger was edited, added or removed, and that every row of every table agrees with its event.

    Every file of the contact history is compared with its hash, too. The time up to which a schedule was planned changes with the
    clock, and is not covered.

    Example: dmail-runner audit verify --against exported.jsonl
    """
    from dmail_runner.history.record import history_faults
    from dmail_runner.ledger.journal import faults, last
    from dmail_runner.ledger.portable import differences

    settings, ledger = open_ledger(context.obj)
    ledger.check()
    with ledger.reading() as connection, ledger.understood():
        found = [*faults(connection), *(differences(connection, against) if against else ())]
        mark = last(connection)
    found += [f"{HISTORY}{fault}" for fault in history_faults(settings, ledger, thorough=True)]
    anchor = ledger.anchor.read()
    if as_json:
        say_json({"faults": found, "events": mark.number, "hash": mark.hash or None, "anchor": anchor is not None})
    if found:
        raise damaged(ledger, found)
    if not as_json:
        say_verified(ledger, mark, anchored=anchor is not None)


def say_verified(ledger: "Ledger", mark: "Mark", *, anchored: bool) -> None:
    """Print that nothing was changed, and whether an older copy of the ledger would be noticed."""
    say(f"{counted(mark.number, 'event')}, none edited or missing, and all rows match; the last hash is {mark.hash or 'none'}")
    if mark.number and not anchored:
        say(f"note: this host has no anchor of the ledger ({ledger.anchor.path}): an older copy of it would not be noticed")


@audits.command()
def export(context: typer.Context) -> None:
    """Print the ledger's events as JSON lines. Keep them elsewhere, such as in git or in storage that cannot be changed.

    Example: dmail-runner audit export > exported.jsonl
    """
    from dmail_runner.ledger.portable import lines

    _, ledger = open_ledger(context.obj)
    with ledger.reading() as connection:
        for line in lines(connection):
            print_result(line)


def damaged(ledger: "Ledger", faults: list[str]) -> DmailError:
    """The error for a ledger that was changed by something other than this program."""
    from dmail_runner.cli.text import visible

    what = "the contact history" if all(fault.startswith(HISTORY) for fault in faults) else f"the ledger {ledger.name}"
    more = [f"  and {len(faults) - MAX_FAULTS:,} more"] if len(faults) > MAX_FAULTS else []
    return DmailError(
        "\n".join([f"{what} was changed:", *(f"  {visible(fault)}" for fault in faults[:MAX_FAULTS]), *more]),
        todo="restore a backup, and find out who changed it",
    )


@audits.command()
def rekey(context: typer.Context) -> None:
    """Rewrite the contact history with the key of DMAIL_HISTORY_KEY, or in plain if it is not set.

    DMAIL_HISTORY_FORMER_KEY is the key that the files have now, if they are encrypted. No run may be under way, on any host that
    shares the history.

    Example: dmail-runner audit rekey
    """
    from dmail_runner.core.parquet import FORMER, parse_key
    from dmail_runner.core.redact import register_secret
    from dmail_runner.history.key import rekey
    from dmail_runner.project.warehouse import lock_warehouse

    settings, ledger = open_ledger(context.obj)
    if former := parse_key(os.environ.get(FORMER), FORMER):
        register_secret(former.get_secret_value())
    with lock_warehouse(settings, "rekey", tell):
        count = rekey(settings, ledger, former, f"by {this_account()}")
    how = "encrypted" if settings.history_key else "in plain"
    say(f"rewrote {counted(count, 'file')}; all files of {settings.history_dir} are {how}")


@audits.command()
def reconcile(context: typer.Context, reason: Reason) -> None:
    """Continue with an older copy of the ledger, or with a contact history that differs from its record.

    Runs that an older ledger lacks are held as unknown, and past slots are not run. Frequency caps do not count contacts that the
    history lacks.

    Example: dmail-runner audit reconcile --reason "disk failure, backup of Sunday"
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.reconcile import reconcile_all

    settings, manifest = open_project(context.obj)
    jobs = [open_job(settings, manifest.campaign(name)) for name in manifest.names]
    found = reconcile_all(settings, jobs, Ledger(settings, now), f"by {this_account()}: {reason}")
    for fault in (*found.faults, *found.received):
        say(f"accepted {fault}")
    for run in found.held:
        say(f"held     {run}: it is unknown whether its file was delivered; record the answer with dmail-runner settle {run}")
    say("the ledger is in use again")
