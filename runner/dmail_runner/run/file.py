"""Makes the files of a run: builds the models, applies the gates, and extracts."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from dmail_runner import history
from dmail_runner.check.regions import count_regions
from dmail_runner.check.sort_plan import count_levels
from dmail_runner.core.counted import counted
from dmail_runner.core.transfer import Watch, ignore_progress
from dmail_runner.core.values import Build, Part, Spooled, Verdicts
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.extract import extract
from dmail_runner.extract.part_file import Content
from dmail_runner.extract.parts import part_path
from dmail_runner.history.verdicts import counted_before, write_verdicts
from dmail_runner.run.checked import Checked, checked
from dmail_runner.run.job import Job
from dmail_runner.run.order import Order


def make(
    job: Job,
    order: Order,
    folder: Path | None,
    *,
    built: Callable[[Build], None] = lambda _: None,
    finished: Callable[[Spooled], None] = lambda _: None,
    done: Callable[[Verdicts, list[Part]], None] = lambda *_: None,
) -> tuple[Verdicts, list[Part]]:
    """Build, check and extract.

    Args:
        job: the campaign's job.
        order: the order of the run.
        folder: the folder for the files; None to count only.
        built: called when dbt has built the models.
        finished: called with each part when it is complete.
        done: called with the results before another process can build.

    Returns:
        The figures and the files. There are no files if nobody is included and the provider accepts no empty file.

    Raises:
        BuildError, ExtractError: if a step fails.
        Held: if a gate holds the run.
    """
    with checked(job, order, built=built) as found:
        made = extracted(job, order, found, folder, finished)
        # The warehouse is still locked: the next build counts the contacts of this run.
        done(*made)
        return made


def extracted(
    job: Job, order: Order, found: Checked, folder: Path | None, finished: Callable[[Spooled], None]
) -> tuple[Verdicts, list[Part]]:
    """Extract what was built. Arguments and results as for `make`."""
    if folder and order.wave == 1 and order.audience is None:
        history.write_audience(found.connection, found.relations, folder)
    found = with_verdicts(job, order, found, folder)
    if found.verdicts.included == 0 and job.provider.empty == "no_file":
        return found.verdicts, []
    regions = count_regions(found.connection, found.relations, found.verdicts, job.campaign)
    levels = count_levels(found.connection, found.relations, found.verdicts, job.campaign)
    verdicts = replace(found.verdicts, regions=regions, levels=levels)
    for level in levels:
        job.tell(f"sort     {level}")
    mark, seal, made = order.mark, job.seal, order.now
    envelope = Envelope(job.campaign, job.provider, order.slot, order.run_id, mark=mark, seal=seal, made=made, levels=levels)
    job.tell(f"extract  {counted(found.verdicts.included, 'row')} into {envelope.base_name()}")
    parts = write(found, envelope, folder, finished=finished, watch=job.watch)
    if folder:
        contacts = history.NewContacts(job.campaign, order.slot, order.run_id, folder)
        history.write_contacts(found.connection, found.relations, found.verdicts, contacts)
    return verdicts, parts


def with_verdicts(job: Job, order: Order, found: Checked, folder: Path | None) -> Checked:
    """Write the verdicts of a window, and count the people whom another window has counted. A copy counts nobody."""
    if folder is None or not job.campaign.windows or order.original:
        return found
    run = history.NewContacts(job.campaign, order.slot, order.run_id, folder)
    write_verdicts(found.connection, found.relations, found.verdicts, run)
    before = counted_before(found.connection, job.settings, order.run_id, folder / history.VERDICTS)
    return replace(found, verdicts=replace(found.verdicts, counted_before=before))


def write(
    found: Checked,
    envelope: Envelope,
    folder: Path | None,
    *,
    finished: Callable[[Spooled], None] = lambda _: None,
    watch: Watch = ignore_progress,
) -> list[Part]:
    """Write all files of a run into a folder, side files last. Without a folder they are only counted."""

    def complete(number: int, content: Content) -> None:
        if folder:
            finished(Spooled(part_of(content, number, envelope), part_path(folder, number)))

    contents = extract(found.connection, found.relations, found.verdicts, envelope, folder, on_part=complete, watch=watch)
    parts = [part_of(content, number, envelope) for number, content in enumerate(contents, start=1)]
    return [*parts, *side_parts(envelope, parts, folder)]


def part_of(content: Content, number: int, envelope: Envelope) -> Part:
    """A part for the ledger, from the content that was written."""
    return Part(
        number=number,
        name=envelope.part_name(number),
        rows=content.rows,
        bytes=content.bytes,
        sha256=content.sha256,
        route=envelope.provider.route,
        plain_bytes=content.plain.bytes if content.plain else None,
        plain_sha256=content.plain.sha256 if content.plain else None,
        inner_bytes=content.inner.bytes if content.inner else None,
        inner_sha256=content.inner.sha256 if content.inner else None,
    )


def side_parts(envelope: Envelope, parts: list[Part], folder: Path | None) -> Iterator[Part]:
    """The side files, which are written into the folder if there is one."""
    for number, (name, text) in enumerate(envelope.side_files(parts), start=len(parts) + 1):
        content = text.encode()
        if folder:
            with part_path(folder, number).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        digest = hashlib.sha256(content).hexdigest()
        yield Part(number, name, 0, len(content), digest, envelope.provider.route, side=True)
