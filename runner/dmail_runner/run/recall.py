"""Recalls a delivered file: asks the mail house in its own way not to mail it, and records the answer.

Only the answer `accepted` changes what is known about people. Until then, and if nobody answers, they count as mailed.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import PurePosixPath

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.template import fill
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.file_spec import check_file_name
from dmail_runner.declare.provider import Provider, find_provider
from dmail_runner.declare.recall import RecallFile
from dmail_runner.extract.envelope import ENDS
from dmail_runner.extract.parts import part_path
from dmail_runner.history.recalled import mark_recalled
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.recalls import record_answer, record_recall
from dmail_runner.ledger.run import ASKED, Run
from dmail_runner.run.answers import reports_of
from dmail_runner.run.decisions import Decision
from dmail_runner.run.pipeline import PERSON, route_of
from dmail_runner.run.spool import spool
from dmail_runner.ship import DeliveryCallbacks, ship


def recall(settings: Settings, run: Run, ledger: Ledger, decision: Decision, tell: Callable[[str], None]) -> tuple[Run, str]:
    """Ask the mail house to stop a delivered file.

    If an earlier attempt did not deliver the recall file, it is delivered now: the same bytes under the same name.

    Returns:
        The run, and whom to call.

    Raises:
        UsageError: if the run cannot be recalled, or no longer.
        DmailError: if the recall file could not be delivered. The recall is recorded as asked all the same.
    """
    with ledger.campaign_lock(run.campaign, f"recall of {run.run_id}"):
        run = ledger.known(run.run_id)
        check_delivered(run)
        provider = provider_of(settings, run, ledger)
        check_time(run, provider, ledger.now())
        contact = provider.recall_contact or provider.label
        ledger.check()
        contents = dict(recall_files(provider, run))
        if run.recall is None:
            record_recall(ledger, run, list(contents), str(decision))
            run = ledger.known(run.run_id)
            hold_later_waves(run, ledger, decision)
        try:
            send(settings, run, ledger, contents, tell)
        except DmailError as error:
            later = f"call {contact} now; dmail-runner recall {run.run_id} --reason ... tries again"
            error.todo = "; ".join(filter(None, (error.todo, "it is not known whether the recall has arrived", later)))
            raise
    return ledger.known(run.run_id), contact


def hold_later_waves(run: Run, ledger: Ledger, decision: Decision) -> None:
    """Hold the later waves of a mailing that have not left: what is wrong with one may be wrong with them."""
    for wave in ledger.waves(run) if run.copy_of is None else ():
        if (wave.wave or 0) > (run.wave or 0) and not wave.finished and wave.state != "held":
            ledger.hold(wave, PERSON, f"held with the recall of {run.run_id} {decision}")


def answer(settings: Settings, run: Run, ledger: Ledger, decision: Decision, *, accepted: bool) -> Run:
    """Record the mail house's answer. It may also answer a call, for which the runner has sent nothing.

    If it has accepted, the people of the file no longer count as mailed. A later answer `refused` makes them count again.

    Raises:
        UsageError: if the run was not delivered, or the mail house has reported pieces of it as mailed.
    """
    with ledger.campaign_lock(run.campaign, f"answer to the recall of {run.run_id}"):
        run = ledger.known(run.run_id)
        check_delivered(run)
        if accepted and (report := reports_of(settings, [run]).get(run.run_id)) and report.mailed:
            raise UsageError(
                f"{run.run_id}: the mail house has reported {report.mailed:,} pieces as mailed, so its people count as mailed",
                todo="fetch a corrected report of the mail house first, or record the answer as refused",
            )
        if run.recall is None:
            record_recall(ledger, run, (), f"outside of the runner {decision}")
            hold_later_waves(run, ledger, decision)
        # If this process is killed between the two, people count as mailed, and the same command completes it.
        if accepted:
            record_answer(ledger, run, accepted=True, detail=str(decision))
            mark_recalled(settings, ledger, run.run_id, recalled=True)
        else:
            mark_recalled(settings, ledger, run.run_id, recalled=False)
            record_answer(ledger, run, accepted=False, detail=str(decision))
    return ledger.known(run.run_id)


def check_delivered(run: Run) -> None:
    """Raises UsageError if a run was not completely delivered."""
    if run.state == "settled" and data_files(run):
        return
    if run.state == "settled" or run.finished:
        todo = None
    elif run.doubtful:
        todo = f"record with dmail-runner settle {run.run_id} whether the provider has its file, then recall it"
    elif run.delivered:
        todo = f"dmail-runner cancel {run.run_id} --rest --reason ... gives up the rest, then recall it"
    else:
        todo = f"dmail-runner cancel {run.run_id} --reason ... gives it up"
    raise UsageError(f"{run.run_id} is {run.state}: only what was delivered can be recalled", todo=todo)


def check_time(run: Run, provider: Provider, now: datetime) -> None:
    """Raises UsageError if the mail house accepts no recall, or no longer, or if a recall has left already."""
    contact = provider.recall_contact or provider.label
    record = f"dmail-runner recall {run.run_id} --answer accepted (or refused) --reason ... records what it says"
    if run.recall not in (None, ASKED):
        raise UsageError(f"{run.run_id}: the mail house has {run.recall} a recall already")
    if run.recall == ASKED and not waiting(run):
        raise UsageError(f"{run.run_id}: a recall is asked already, and not answered", todo=f"call {contact}; {record}")
    if provider.recall_until is None:
        raise UsageError(
            f"{run.run_id}: {provider.label} has no `recall_until`, so it accepts no recalls; nothing was sent",
            todo=f"call {contact}; {record}",
        )
    end = (run.changed or now) + provider.recall_until
    if now > end:
        raise UsageError(
            f"{run.run_id} could be recalled until {end:%Y-%m-%d %H:%M} UTC; nothing was sent", todo=f"call {contact}; {record}"
        )


def provider_of(settings: Settings, run: Run, ledger: Ledger) -> Provider:
    """The provider that a run's file was made for. Raises UsageError if the ledger does not know it."""
    name = ledger.provider_of(run)
    if name is None:
        raise UsageError(f"{run.run_id} was made by an earlier version, which recorded no provider", todo="call the mail house")
    return find_provider(settings, name)


def data_files(run: Run) -> list[Part]:
    """The files with the people of a run."""
    return [entry.part for entry in run.parts if not entry.part.side]


def waiting(run: Run) -> list[Part]:
    """The files of a recall that have no receipt. A settled run has no others without one."""
    return [entry.part for entry in run.parts if entry.location is None]


def recall_files(provider: Provider, run: Run) -> Iterator[tuple[Part, bytes]]:
    """The files that recall a run, with the content of each. Every attempt has the same; without `recall_file` there are none."""
    if provider.recall_file is None:
        return
    name, text = recall_text(provider.recall_file, run, ENDS[provider.format.line_end])
    texts = [(name, text), *([(f"{name}.done", "")] if "done" in provider.side_files else [])]
    names = [name for name, _ in texts]
    number = max(entry.part.number for entry in run.parts if entry.part.name not in names) + 1
    for offset, (file, content) in enumerate(texts):
        data = content.encode()
        digest = hashlib.sha256(data).hexdigest()
        yield Part(number + offset, file, 0, len(data), digest, data_files(run)[0].route, side=True), data


def recall_text(declared: RecallFile, run: Run, end: str) -> tuple[str, str]:
    """The name and the content of a recall file."""
    values: dict[str, str | int | datetime | None] = {"campaign": run.campaign, "run": run.run_id, "slot": run.slot}
    lines = [
        fill(declared.line, {**values, "file": PurePosixPath(part.name).name, "rows": part.rows, "sha256": part.sha256})
        for part in data_files(run)
    ]
    header = [declared.header] if declared.header else []
    return check_file_name(fill(declared.name, values)), "".join(line + end for line in [*header, *lines])


def send(settings: Settings, run: Run, ledger: Ledger, contents: Mapping[Part, bytes], tell: Callable[[str], None]) -> None:
    """Deliver the recall files by the protocol of all files. Raises DmailError; UsageError if their declaration was changed."""
    todo = waiting(run)
    if not todo:
        return
    if any(part not in contents for part in todo):
        raise UsageError(f"{run.run_id}: `recall_file` was changed since the recall was asked; nothing was sent")
    folder = spool(settings, run)
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        for part in todo:
            part_path(folder, part.number).write_bytes(contents[part])
        callbacks = DeliveryCallbacks(
            intents=lambda part: ledger.intents(run, part),
            delivered=lambda part, receipt: ledger.deliver(run, part, receipt),
            tell=tell,
        )
        spooled = [Spooled(part, part_path(folder, part.number)) for part in todo]
        ship(spooled, route_of(settings, run, todo[0].route), callbacks)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
