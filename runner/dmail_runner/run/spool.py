"""The spool: the folder of a frozen run's files until they are delivered."""

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
    """Finish the work of killed runs: publish the contacts of frozen runs, and remove the files of finished runs.

    The folder of a run that the ledger lacks is kept, because the ledger may be an older copy.
    """
    own = (folder for folder in settings.spool_dir.iterdir() if campaign_of(folder.name) == campaign)
    folders = {folder.name: folder for folder in own}
    for run in ledger.runs(folders):
        if run.finished:
            if run.state == "cancelled":
                history.remove_contacts(settings, ledger, run.run_id)
            shutil.rmtree(folders[run.run_id], ignore_errors=True)
        elif run.parts:
            history.publish_contacts(settings, ledger, run.run_id, folders[run.run_id])


def spool_is_complete(job: Job, run: Run) -> bool:
    """Whether the spool has all frozen parts of a run, with their recorded SHA-256, so that they can be shipped."""
    if not run.parts:
        return False
    if job.seal and not run.may_have_left and any(not e.part.side and e.part.plain_sha256 is None for e in run.parts):
        # The run was frozen before the route had a key, and nothing was sent. It is made again, encrypted.
        return False
    paths = [(entry, part_path(spool(job.settings, run), entry.part.number)) for entry in run.parts]
    return all(entry.location or (path.is_file() and digest(path) == entry.part.sha256) for entry, path in paths)


def damaged(settings: Settings, run: Run) -> ExtractError:
    """The error for a run with a damaged spool if the provider may have parts of it. New parts could mail people twice."""
    return ExtractError(
        f"the spool of {run.run_id} is damaged{elsewhere(run)}, and some of it may have been delivered: it is not made again",
        todo=f"restore {spool(settings, run)}; or record with dmail-runner settle {run.run_id} whether the provider has it",
    )


def elsewhere(run: Run) -> str:
    """A note with the host that made a run, if it was another one."""
    return f" here (it was made on {run.host})" if run.host and run.host != socket.gethostname() else ""


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
