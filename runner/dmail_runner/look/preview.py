"""Shows rows as they would be printed: the first ones of a file, or those of some profiles. Nothing is recorded or delivered."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dmail_runner.check.contract import file_text
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Verdicts
from dmail_runner.declare.campaign import KEY, SEED
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.parts import part_path
from dmail_runner.extract.rows import order_by, rows_query
from dmail_runner.look.trial import trial
from dmail_runner.project.warehouse import literal, quote
from dmail_runner.run.checked import Checked, checked
from dmail_runner.run.file import write
from dmail_runner.run.job import Job
from dmail_runner.run.order import Order

SAMPLE = "dmail_preview"  # a temporary table


@dataclass(frozen=True)
class Wanted:
    """The rows that a preview shows.

    Attributes:
        rows: the number of rows, in the file's order, if no profiles are given.
        profiles: the profiles whose rows are shown.
        test: True for the rows of test profiles and seed addresses, in place of those of the real file.
    """

    rows: int = 10
    profiles: tuple[str, ...] = ()
    test: bool = False


@dataclass(frozen=True)
class Preview:
    """A preview.

    Attributes:
        labels: the labels of the columns.
        rows: the printed text of each row, in the order of the labels.
        files: files with only these rows.
        verdicts: the figures of the real file, or of the trial.
        holds: the gates that would hold a run of this file, each with what it has found.
        missing: the profiles that were asked for and have no row, each with the reason.
    """

    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    files: tuple[Path, ...]
    verdicts: Verdicts
    missing: tuple[tuple[str, str], ...]
    holds: tuple[str, ...] = ()


@contextmanager
def previewed(job: Job, order: Order, wanted: Wanted) -> Iterator[Preview]:
    """Make a preview, also of a file that a gate would hold. Its files exist within the context.

    Raises:
        BuildError, ExtractError: as a run raises them.
    """
    holds: list[Held] = []
    made = trial(job, order.slot, f"preview of {job.campaign.name}") if wanted.test else checked(job, order, held=holds.append)
    with made as found:
        folder = job.settings.work_dir / "preview"
        folder.mkdir(mode=0o700)
        try:
            sample = sample_of(found, job, wanted)
            parts = write(sample, Envelope(job.campaign, job.provider, order.slot, order.run_id), folder)
            yield Preview(
                labels=tuple(column.label for column in job.campaign.exported),
                rows=printed_rows(sample, job),
                files=tuple(part_path(folder, part.number) for part in parts if not part.side),
                verdicts=found.verdicts,
                missing=tuple(missing_profiles(found, sample, wanted.profiles)),
                holds=tuple(f"{hold.hold}: {hold.what}" for hold in holds),
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sample_of(found: Checked, job: Job, wanted: Wanted) -> Checked:
    """The wanted rows, as an extract in a temporary table."""
    rows = rows_query(found.relations, found.verdicts, job.campaign)
    chosen = f"where rows.{quote(KEY)} in ({literals(wanted.profiles)})" if wanted.profiles else ""
    limit = "" if wanted.profiles else f"limit {wanted.rows}"
    query = f"select rows.* from ({rows}) as rows {chosen} order by {order_by(job.campaign)} {limit}"
    found.connection.execute(f"create temp table {SAMPLE} as {query}")
    is_seed = f"coalesce({quote(SEED)}, false)" if job.campaign.has_seeds else "false"
    counts = f"select count(*), count(*) filter ({is_seed}) from temp.{SAMPLE}"
    count, seeds = found.connection.execute(counts).fetchone() or (0, 0)
    verdicts = Verdicts(count - seeds, count - seeds, {}, seeds)
    return Checked(found.connection, replace(found.relations, extract=f"temp.{SAMPLE}"), verdicts)


def printed_rows(sample: Checked, job: Job) -> tuple[tuple[str, ...], ...]:
    """The text of each row in the file's order."""
    fields = ", ".join(f"coalesce({file_text(column, job.provider.format)}, '')" for column in job.campaign.exported)
    query = f"select {fields} from temp.{SAMPLE} as rows order by {order_by(job.campaign)}"
    return tuple(sample.connection.execute(query).fetchall())


def missing_profiles(found: Checked, sample: Checked, profiles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The given profiles that have no row in the sample, each with the reason."""
    if not profiles:
        return
    key = quote(KEY)
    query = f"select {key}, exclusion_reason from {found.relations.recipients} where {key} in ({literals(profiles)})"
    reasons = dict(found.connection.execute(query).fetchall())
    present = {row[0] for row in sample.connection.execute(f"select {key} from temp.{SAMPLE}").fetchall()}
    for profile in dict.fromkeys(profiles):
        if profile not in present:
            excluded_later = "excluded by the provider's contract, or its row is identical to another one"
            yield profile, reasons[profile] or excluded_later if profile in reasons else "not targeted"


def literals(texts: Sequence[str]) -> str:
    return ", ".join(map(literal, texts))
