"""Reviews a branch: the campaigns that it changes, what is changed in them, and what their next files would have."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dmail_runner.core.errors import ConfigError, Held, UsageError
from dmail_runner.core.money import cost_text
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Verdicts
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.plan.due import due_slot
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest, load_manifest
from dmail_runner.project.packages import package_folder
from dmail_runner.run.checked import checked
from dmail_runner.run.definition import Definition, defined, summary
from dmail_runner.run.job import Job
from dmail_runner.run.order import Last, trial_order

FindJob = Callable[[Settings, Campaign], Job]


@dataclass(frozen=True)
class Change:
    """A campaign that a branch changes.

    Attributes:
        campaign: its name.
        how: `new`, `changed` or `removed`.
        lines: what is changed, one line for each kind of part.
        now: its definition in the branch; None if it is removed.
    """

    campaign: str
    how: str
    lines: tuple[str, ...]
    now: Definition | None = None


@dataclass(frozen=True)
class Figures:
    """What the next file of a campaign would have.

    Attributes:
        slot: the slot.
        verdicts: the figures.
        cost: the estimated cost, with its currency; None without a tariff.
        last: the last settled run; None if there is none.
        holds: the gates that would hold the run, each with what it has found.
    """

    slot: datetime
    verdicts: Verdicts
    cost: str | None
    last: Last | None
    holds: tuple[str, ...]


def changes(settings: Settings, manifest: Manifest, base: str, run_dbt: RunDbt, find: FindJob) -> list[Change]:
    """The campaigns that differ from a git revision in anything that decides what they mail and to whom, by name.

    Args:
        manifest: the manifest of the project as it is now.
        base: the revision, such as `main`.
        find: returns the job of a campaign in a project.

    Raises:
        UsageError: if git does not know the revision.
        ConfigError: if a campaign's present declaration is wrong, or the project of that revision does not parse.
    """
    with project_of(settings, base) as before:
        old = load_manifest(before, run_dbt)
        found = []
        for name in sorted({*old.names, *manifest.names}):
            now = defined(find(settings, manifest.campaign(name))) if name in manifest.names else None
            then = definition_then(before, old, name, find)
            if now is None:
                found.append(Change(name, "removed", ()))
            elif then is None or then.fingerprint != now.fingerprint:
                found.append(Change(name, "changed" if name in old.names else "new", tuple(summary(then, now)), now))
    return found


def definition_then(settings: Settings, manifest: Manifest, name: str, find: FindJob) -> Definition | None:
    """A campaign's definition in the earlier project; None if it had none, or a wrong one."""
    try:
        return defined(find(settings, manifest.campaign(name))) if name in manifest.names else None
    except ConfigError:
        return None


@contextmanager
def project_of(settings: Settings, revision: str) -> Iterator[Settings]:
    """The project as of a git revision, in a temporary folder, with the packages that are installed now."""
    project = settings.project_dir
    command = ["git", "-C", str(project), "archive", "--format=tar", revision]
    try:
        done = subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"").decode(errors="replace").strip().splitlines() or [str(error)]
        raise UsageError(
            f"git cannot read {revision!r}: {reason[-1]}", todo="name a branch or commit that is fetched: --base"
        ) from None
    with tempfile.TemporaryDirectory(prefix="dmail-base-") as name:
        folder = Path(name)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        # What git does not keep, and dbt needs.
        for path in (package_folder(project), project / "profiles.yml", project / "profiles/profiles.yml"):
            there = folder / path.relative_to(project)
            if path.exists() and not there.exists():
                there.parent.mkdir(exist_ok=True, parents=True)
                there.symlink_to(path)
        state = folder / ".dmail"
        yield replace(
            settings,
            project_dir=folder,
            state_dir=state,
            history_dir=state / "contact_history",
            spark_dir=state / "spark",
            inbound=state / "inbound",
        )


def next_figures(job: Job, ledger: Ledger) -> Figures:
    """Build and check the next file of a campaign, also one that a gate would hold. Nothing is recorded or delivered.

    Raises:
        BuildError, ExtractError: as a run raises them.
    """
    slot = due_slot(job.campaign, ledger, ledger.now()) or ledger.now()
    order = trial_order(job, slot, ledger, "review")
    holds: list[Held] = []
    with checked(job, order, held=holds.append) as found:
        verdicts = found.verdicts
    return Figures(
        slot,
        verdicts,
        cost_text(verdicts.estimate),
        order.last,
        tuple(f"{hold.hold}: {hold.what}" for hold in holds),
    )
