"""Giving up a run: its temporary files, contacts and spool are removed."""

import shutil
from contextlib import suppress

from dmail_runner import history
from dmail_runner.core.errors import DmailError
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.route import find_route
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.run.job import Job
from dmail_runner.run.spool import spool
from dmail_runner.ship import destination


def overtaken(job: Job, run: Run, ledger: Ledger) -> list[Run]:
    """The unfinished runs in whose place this one comes; none where every slot is made up for, and no wave and no copy."""
    if run.copy_of or makes_up_for_all(job.campaign):
        return []
    return [older for older in ledger.unfinished(run.campaign) if older.slot < run.slot and not older.copy_of]


def makes_up_for_all(campaign: Campaign) -> bool:
    """Whether every slot is to be mailed, however many are due: no newer one takes an older one's place."""
    mail = campaign.mail
    return mail.waves is not None or (mail.schedule is not None and mail.schedule.missed == "all")


def cancel(job: Job, run: Run, ledger: Ledger, reason: str) -> None:
    """Give up a run of which nothing has its final name: its temporary files, contacts and spool go, and later waves with it."""
    if run.parts:
        with suppress(DmailError):
            route = find_route(job.settings, run.parts[0].part.route)
            with destination(route) as place:
                for entry in run.parts:
                    if temporary := ledger.attempt(run, entry.part).temporary:
                        place.remove(temporary)
    # The ledger first: what a killed runner leaves of the contacts, the next one takes back.
    ledger.cancel(run, reason)
    history.take_back_contacts(job.settings, run.run_id)
    shutil.rmtree(spool(job, run), ignore_errors=True)
    job.tell(f"cancel   {run.run_id}: {reason}, and nothing of it had left")
    if run.wave == 1:
        for wave in ledger.waves(run)[1:]:
            if not wave.finished:
                cancel(job, wave, ledger, f"the first wave was given up: {reason}")
