"""Giving up a run: what attempts left on the server is removed, its contacts are taken back, and its spool is emptied."""

import shutil
from collections.abc import Callable

from dmail_runner import history
from dmail_runner.core.errors import DmailError, Held
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.route import find_route
from dmail_runner.ledger.intents import Word
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import LedgerPart, Run
from dmail_runner.run.spool import spool
from dmail_runner.ship import destination, give_up

UNKNOWN = "unknown"


def overtaken(campaign: Campaign, run: Run, ledger: Ledger) -> list[Run]:
    """The unfinished runs in whose place this one comes; none where every slot is made up for, and no wave and no copy."""
    if run.copy_of or makes_up_for_all(campaign):
        return []
    return [older for older in ledger.unfinished(run.campaign) if older.slot < run.slot and not older.copy_of]


def makes_up_for_all(campaign: Campaign) -> bool:
    """Whether every slot is to be mailed, however many are due: no newer one takes an older one's place."""
    mail = campaign.mail
    return mail.waves is not None or (mail.schedule is not None and mail.schedule.missed == "all")


def cancel(settings: Settings, run: Run, ledger: Ledger, reason: str, tell: Callable[[str], None]) -> None:
    """Give up a run of which nothing has left, and later waves with it. Raises Held if the provider may have some of it."""
    take_back(settings, run, ledger)
    # The ledger first: what a killed runner leaves of the contacts, the next one takes back.
    ledger.cancel(run, reason)
    history.remove_contacts(settings, run.run_id)
    shutil.rmtree(spool(settings, run), ignore_errors=True)
    tell(f"cancel   {run.run_id}: {reason}, and nothing of it had left")
    if run.wave == 1:
        for wave in ledger.waves(run)[1:]:
            if not wave.finished:
                cancel(settings, wave, ledger, f"the first wave was given up: {reason}", tell)


def take_back(settings: Settings, run: Run, ledger: Ledger) -> None:
    """End every attempt to deliver some of the run, and remove what it left on the server.

    Raises Held if the provider may have a part, and DmailError if the route, which would have to be asked, cannot be used.
    """
    left = [entry for entry in (*run.parts, *run.ahead) if entry.location is None and entry.attempt.is_open]
    doubtful = [entry for entry in left if entry.doubtful]
    try:
        kept = still_there(settings, run, ledger, left) if left else []
    except DmailError as error:
        if doubtful:
            later = "nothing was given up: try again when the server answers"
            error.todo = "; ".join(filter(None, (error.todo, later, f"or {ask_provider(run)}")))
            raise
        # Only pieces lie there, which nobody takes for the file.
        for entry in left:
            ledger.note(run, "left_behind", entry.attempt.temporary)
        kept = []
    if kept:
        raise Held(
            UNKNOWN,
            f"{', '.join(kept)}: the provider may have taken it, so that it cannot be given up",
            todo=ask_provider(run),
        )


def ask_provider(run: Run) -> str:
    """What a person does about a file that the provider may have."""
    return f"ask the provider, then: dmail-runner settle {run.run_id} --delivered (or --not-delivered) --reason ..."


def still_there(settings: Settings, run: Run, ledger: Ledger, left: list[LedgerPart]) -> list[str]:
    """The names of the parts that cannot be taken back."""
    route = find_route(settings, left[0].part.route)
    with destination(route) as place:
        return [entry.part.name for entry in left if not give_up(entry.part, place, ledger.intents(run, entry.part), route)]


def say_not_delivered(run: Run, ledger: Ledger) -> None:
    """Record that the provider does not have the parts of which nobody knew."""
    for entry in (*run.parts, *run.ahead):
        if entry.doubtful:
            ledger.intents(run, entry.part).record(Word.NOT_DELIVERED, entry.attempt.temporary, entry.attempt.sha256)
