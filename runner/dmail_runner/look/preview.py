"""A preview: the first rows of a file, or some people's, as they would be printed. Nothing is recorded or delivered."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dmail_runner.check.contract import file_text
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

SAMPLE = "temp.dmail_preview"


@dataclass(frozen=True)
class Wanted:
    """Which rows to show: those of `profiles`, or the first ones in the file's order; of test profiles, or of the real ones."""

    rows: int = 10
    profiles: tuple[str, ...] = ()
    test: bool = False


@dataclass(frozen=True)
class Preview:
    """Rows by label, as printed; the whole files of these rows; the verdicts of the real file; who was asked for and is out."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    files: tuple[Path, ...]
    verdicts: Verdicts
    out: tuple[tuple[str, str], ...]


@contextmanager
def previewed(job: Job, order: Order, wanted: Wanted) -> Iterator[Preview]:
    """The preview; its files are there while the context lasts."""
    made = trial(job, order.slot, f"preview of {job.campaign.name}") if wanted.test else checked(job, order)
    with made as found:
        folder = job.settings.work_dir / "preview"
        folder.mkdir(mode=0o700)
        try:
            sample = sampled(found, job, wanted)
            files = write(sample, Envelope(job.campaign, job.provider, order.slot, order.run_id), folder)
            yield Preview(
                tuple(column.label for column in job.campaign.exported),
                printed_rows(sample, job),
                tuple(part_path(folder, part.number) for part in files if not part.side),
                found.verdicts,
                tuple(missing(found, sample, wanted.profiles)),
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sampled(found: Checked, job: Job, wanted: Wanted) -> Checked:
    """The wanted rows as an extract of their own."""
    rows = rows_query(found.relations, found.verdicts, job.campaign)
    chosen = f"where rows.{quote(KEY)} in ({literals(wanted.profiles)})" if wanted.profiles else ""
    limit = "" if wanted.profiles else f"limit {wanted.rows}"
    query = f"select rows.* from ({rows}) as rows {chosen} order by {order_by(job.campaign)} {limit}"
    found.connection.execute(f"create temp table {SAMPLE.removeprefix('temp.')} as {query}")
    seed = f"coalesce({quote(SEED)}, false)" if job.campaign.has_seeds else "false"
    count, seeds = found.connection.execute(f"select count(*), count(*) filter ({seed}) from {SAMPLE}").fetchone() or (0, 0)
    verdicts = Verdicts(count - seeds, count - seeds, {}, seeds)
    return Checked(found.connection, replace(found.relations, extract=SAMPLE), verdicts)


def printed_rows(sample: Checked, job: Job) -> tuple[tuple[str, ...], ...]:
    """The rows' values as the file shows them, in its order."""
    fields = ", ".join(f"coalesce({file_text(column, job.provider.format)}, '')" for column in job.campaign.exported)
    query = f"select {fields} from {SAMPLE} as rows order by {order_by(job.campaign)}"
    return tuple(sample.connection.execute(query).fetchall())


def missing(found: Checked, sample: Checked, profiles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Who was asked for and has no row, and why."""
    if not profiles:
        return
    key = quote(KEY)
    reasons = dict(
        found.connection.execute(
            f"select {key}, exclusion_reason from {found.relations.recipients} where {key} in ({literals(profiles)})"
        ).fetchall()
    )
    there = {row[0] for row in sample.connection.execute(f"select {key} from {SAMPLE}").fetchall()}
    for profile in dict.fromkeys(profiles):
        if profile not in there:
            left_out = "left out by the provider's contract, or printed already in an identical row"
            yield profile, reasons[profile] or left_out if profile in reasons else "not targeted"


def literals(texts: Sequence[str]) -> str:
    return ", ".join(map(literal, texts))
