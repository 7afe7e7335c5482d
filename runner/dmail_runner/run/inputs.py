"""The inputs of a build, each with a hash: the definition, the files of sources, and the contact history."""

from collections.abc import Iterable, Mapping

from dmail_runner import history
from dmail_runner.core.errors import ConfigError
from dmail_runner.core.links import key_mark
from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.history import weeks
from dmail_runner.history.forget import PEOPLE
from dmail_runner.ledger.made import FORGOTTEN, HISTORY
from dmail_runner.project.source_hash import UNKNOWN, digest, source_hash
from dmail_runner.run.definition import defined
from dmail_runner.run.job import Job, is_recorded

LINK_KEY = "key of personal addresses"


def inputs_of(job: Job, runs: Iterable[str]) -> dict[str, str]:
    """A hash of each present input of a build.

    Args:
        job: the campaign's job.
        runs: the runs whose contacts the build reads.
    """
    return {
        **definition_hashes(job),
        **{
            f"source {name}": source_hash(job.settings, location)
            for name, location in job.campaign.origins.items()
            if not is_recorded(job.settings, name, location)
        },
        HISTORY: digest("\n".join(sorted(runs))),
        FORGOTTEN: forgotten_hash(job.settings),
        **({LINK_KEY: key_mark(job.settings.link_key)} if job.campaign.links and job.settings.link_key else {}),
    }


def definition_hashes(job: Job) -> Mapping[str, str]:
    """A hash of each part of the campaign's definition."""
    try:
        return {name: digest(text) for name, text in defined(job).parts.items()}
    except ConfigError:
        return {"definition": UNKNOWN}


def forgotten_hash(settings: Settings) -> str:
    """A hash of the keys of the people who were erased."""
    file = settings.history_dir / "forgotten" / PEOPLE
    if not file.is_file():
        return digest("")
    with weeks.session() as connection:
        rows = connection.execute(f"select {KEY} from {read_parquet([file])} order by 1").fetchall()
    return digest("\n".join(key for (key,) in rows))


def runs_in_history(settings: Settings, own: str) -> set[str]:
    """The runs whose contacts are in the history, without the present run."""
    live = {name for name in history.run_folders(settings) if (settings.history_dir / name / history.FILE).is_file()}
    return (live | {run.run_id for run in weeks.compacted_runs(weeks.folders(settings))}) - {own}
