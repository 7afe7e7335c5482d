"""The spool: where a frozen run's files lie until the mail house has them."""

import hashlib
import shutil
import socket
from pathlib import Path

from dmail_runner import history
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.settings import Settings
from dmail_runner.extract.parts import part_path
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run, campaign_of
from dmail_runner.run.job import Job


def spool(settings: Settings, run: Run) -> Path:
    return settings.spool_dir / run.run_id


def tidy_spool(settings: Settings, campaign: str, ledger: Ledger) -> None:
    """Do what the campaign's killed runs left undone: contacts of frozen ones into the history, files of finished ones away.

    A folder of a run that the ledger does not know stays: then it is the ledger that is wrong.
    """
    own = (folder for folder in settings.spool_dir.iterdir() if campaign_of(folder.name) == campaign)
    folders = {folder.name: folder for folder in own}
    for run in ledger.runs(folders):
        if run.finished:
            if run.state == "cancelled":
                history.remove_contacts(settings, run.run_id)
            shutil.rmtree(folders[run.run_id], ignore_errors=True)
        elif run.parts:
            history.publish_contacts(settings, run.run_id, folders[run.run_id])


def spool_is_whole(job: Job, run: Run) -> bool:
    """Whether the run's frozen parts lie in the spool, byte for byte, so that it goes on with them."""
    if not run.parts:
        return False
    if job.seal and not run.may_have_left and any(not e.part.side and e.part.plain_sha256 is None for e in run.parts):
        # Frozen before the route had a key, and nothing of it has left: it is made again, to be sealed.
        return False
    paths = [(entry, part_path(spool(job.settings, run), entry.part.number)) for entry in run.parts]
    return all(entry.location or (path.is_file() and digest(path) == entry.part.sha256) for entry, path in paths)


def damaged(settings: Settings, run: Run) -> ExtractError:
    """What to raise if a run's parts are not in the spool, but the provider may have some of them: others could mail twice."""
    return ExtractError(
        f"the spool of {run.run_id} is damaged{elsewhere(run)}, and some of it may have been delivered: it is not made again",
        todo=f"bring back {spool(settings, run)}; or dmail-runner settle {run.run_id} says whether the provider has it",
    )


def elsewhere(run: Run) -> str:
    """Where a spool is that is not here."""
    return f" here (it was made on {run.host})" if run.host and run.host != socket.gethostname() else ""


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
