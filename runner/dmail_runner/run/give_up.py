"""Cancels runs: removes their files on the server, their contacts, and their local files."""

import shutil
from collections.abc import Callable

from dmail_runner import history
from dmail_runner.core.errors import ConfigError, DmailError, Held
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.route import find_route
from dmail_runner.extract.parts import part_path
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import LedgerPart, Run
from dmail_runner.plan.slots import wall_of
from dmail_runner.run.spool import spool
from dmail_runner.ship import destination, give_up

UNKNOWN = "unknown"


def overtaken(campaign: Campaign, run: Run, ledger: Ledger) -> list[Run]:
    """The unfinished runs that this one replaces. There are none for copies, for waves, and if every missed slot is run."""
    if run.copy_of or makes_up_for_all(campaign):
        return []
    return [older for older in ledger.unfinished(run.campaign) if older.slot < run.slot and not older.copy_of]


def replaced_by(campaign: Campaign, newer: Run) -> str:
    """Why a run is cancelled that a newer one replaces. A slot outside the schedule did not come due: a person started it."""
    schedule = campaign.mail.schedule
    if schedule and wall_of(schedule, newer.slot):
        return "a newer slot came due before it was shipped"
    return f"somebody started {newer.run_id} instead, before it was shipped"


def makes_up_for_all(campaign: Campaign) -> bool:
    """Whether every due slot is mailed, so that no slot replaces an older one."""
    mail = campaign.mail
    return mail.waves is not None or (mail.schedule is not None and mail.schedule.missed == "all")


def cancel(settings: Settings, run: Run, ledger: Ledger, reason: str, tell: Callable[[str], None]) -> None:
    """Cancel a run and its later waves, except unknown ones. Raises Held if the provider may have a part of the run."""
    take_back(settings, run, ledger)
    # The ledger comes first: if this process is killed, the next one removes the contacts.
    ledger.cancel(run, reason)
    history.remove_contacts(settings, ledger, run.run_id)
    shutil.rmtree(spool(settings, run), ignore_errors=True)
    tell(f"cancel   {run.run_id}: {reason}, and nothing of it had left")
    if run.wave == 1:
        for wave in ledger.waves(run)[1:]:
            if not wave.finished and wave.hold != UNKNOWN:
                cancel(settings, wave, ledger, f"the first wave was given up: {reason}", tell)


def take_back(settings: Settings, run: Run, ledger: Ledger) -> None:
    """End all attempts to deliver parts of a run, and remove their temporary files on the server.

    Raises:
        Held: if the provider may have a part.
        DmailError: if the provider may have a part, and the route cannot be used to find out.
    """
    left = [entry for entry in (*run.parts, *run.ahead) if entry.location is None and entry.attempt.is_open]
    doubtful = [entry for entry in left if entry.doubtful]
    try:
        kept = still_there(settings, run, ledger, left) if left else []
    except DmailError as error:
        if doubtful:
            later = "correct it, and cancel again" if isinstance(error, ConfigError) else "try again when the server answers"
            later = f"nothing was given up: {later}"
            error.todo = "; ".join(filter(None, (error.todo, later, f"or {ask_provider(run)}")))
            raise
        # The server has at most incomplete temporary files, which the provider does not use.
        for entry in left:
            ledger.note(run, "left_behind", entry.attempt.temporary)
        kept = []
    if kept:
        raise Held(
            UNKNOWN,
            f"{', '.join(kept)}: the provider may have it, so the run cannot be cancelled",
            todo=ask_provider(run),
        )


def way_out(run: Run, error: DmailError | None) -> str | None:
    """The advice for a run that an error of the project keeps from continuing; None for a finished run."""
    if run.finished:
        return None
    rest = " --rest" if run.delivered else ""
    end = ask_provider(run) if run.doubtful else f"dmail-runner cancel {run.run_id}{rest} --reason ... gives it up"
    return f"correct it, or {end}" if isinstance(error, ConfigError) else end


def ask_provider(run: Run) -> str:
    """The advice for a file that the provider may have."""
    return f"ask the provider, then: dmail-runner settle {run.run_id} --delivered (or --not-delivered) --reason ..."


def still_there(settings: Settings, run: Run, ledger: Ledger, left: list[LedgerPart]) -> list[str]:
    """Remove the temporary files on the server. Returns the names of the parts that the provider may have."""
    kept: list[str] = []
    for name in dict.fromkeys(entry.part.route for entry in left):
        route = find_route(settings, name)
        with destination(route) as server:
            kept += [
                entry.part.name
                for entry in left
                if entry.part.route == name
                and not give_up(entry.part, server, ledger.intents(run, entry.part), route, in_spool(settings, run, entry.part))
            ]
    return kept


def in_spool(settings: Settings, run: Run, part: Part) -> Spooled | None:
    """A part's file in the spool; None if it is not there."""
    path = part_path(spool(settings, run), part.number)
    return Spooled(part, path) if path.is_file() else None


def say_not_delivered(run: Run, ledger: Ledger) -> None:
    """Record a person's answer that the provider does not have the doubtful parts."""
    for entry in (*run.parts, *run.ahead):
        if entry.doubtful:
            ledger.intents(run, entry.part).record(Entry(Word.NOT_DELIVERED, entry.attempt.temporary, entry.attempt.sha256))
