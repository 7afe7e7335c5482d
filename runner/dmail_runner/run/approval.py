"""Approvals: a person accepts a campaign exactly as it is defined. Any change needs another approval."""

import difflib
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dmail_runner.core.errors import Held, UsageError
from dmail_runner.core.yaml import read_yaml
from dmail_runner.ledger.database import moment
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import approvals
from dmail_runner.run.job import Job

HOLD = "approval"


@dataclass(frozen=True)
class Definition:
    """Everything except the data that decides what a campaign mails and to whom: texts by name, without secrets."""

    parts: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all texts."""
        return hashlib.sha256(json.dumps(self.parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Approval:
    """An approval.

    Attributes:
        at: when it was given, in UTC.
        by: the person.
        fingerprint: the fingerprint of the definition.
        definition: what was approved.
    """

    at: datetime
    by: str
    fingerprint: str
    definition: Definition


def defined(job: Job) -> Definition:
    """The campaign's present definition: models and the macros that they use, contract, delivery, provider and route."""
    variables = read_yaml(job.settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("vars") or {}
    mail = job.campaign.mail
    return Definition(
        {
            **job.campaign.definition(),
            "variables": pretty(variables),
            "delivery": pretty(mail.model_dump(mode="json")),
            f"provider {mail.provider}": pretty(job.provider.model_dump(mode="json")),
            # Secrets are masked, so that a new password needs no approval.
            f"route {job.provider.route}": pretty(job.route.model_dump(mode="json")).replace(f"{job.settings.project_dir}/", ""),
        }
    )


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, default=str, ensure_ascii=False)


def approved(job: Job, ledger: Ledger) -> None:
    """Raises Held if the campaign needs an approval that it does not have."""
    if job.campaign.mail.approval is None:
        return
    fingerprint = defined(job).fingerprint
    last = last_approval(ledger, job.campaign.name)
    if last is None or last.fingerprint != fingerprint:
        since = f", and was changed since {last.by} approved it on {last.at:%Y-%m-%d}" if last else ""
        raise Held(
            HOLD,
            f"{job.campaign.name} waits for an approval of {fingerprint[:12]}{since}: nothing was built or delivered",
            todo=f"dmail-runner approve {job.campaign.name} --show prints what is to be approved, and --by NAME approves it",
        )


def last_approval(ledger: Ledger, campaign: str) -> Approval | None:
    """The newest approval of a campaign; None if there is none."""
    query = approvals.select().where(approvals.c.campaign == campaign).order_by(approvals.c.number.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).first()
    at = moment(row.at) if row else None
    return Approval(at, row.by, row.fingerprint, Definition(json.loads(row.content))) if row and at else None


def approve(job: Job, ledger: Ledger, by: str, user: str, *, four_eyes: bool) -> str:
    """Approve a campaign's present definition.

    Args:
        by: the name of the person.
        user: the person's account on this machine.
        four_eyes: True to refuse the last author of the campaign, even if the campaign does not require that.

    Returns:
        The fingerprint of the definition.

    Raises:
        UsageError: if the person must not approve the campaign.
    """
    if four_eyes or job.campaign.mail.approval == "four_eyes":
        check_author(job, by)
    definition = defined(job)
    values = {"campaign": job.campaign.name, "by": by, "fingerprint": definition.fingerprint}
    with ledger.writing() as connection:
        connection.execute(approvals.insert().values(**values, at=ledger.stamp(), content=json.dumps(definition.parts)))
        ledger.record(connection, job.campaign.name, "approved", f"{definition.fingerprint} by {by}, as {user}")
    return definition.fingerprint


def check_author(job: Job, by: str) -> None:
    """Raises UsageError if `by` is the last author of the campaign's files, or if their author is unknown."""
    files = [*job.campaign.sources, "dbt_project.yml", "profiles/providers.yml", "profiles/routes.yml", "profiles/contracts"]
    there = [file for file in files if (job.settings.project_dir / file).exists()]
    if changed := git(job.settings.project_dir, ["status", "--porcelain", "--", *there]).strip():
        raise UsageError(
            f"{len(changed.splitlines())} files of {job.campaign.name} are not committed, so that they have no author: "
            f"{changed.splitlines()[0].strip()}",
            todo="commit them first",
        )
    author = git(job.settings.project_dir, ["log", "-1", "--format=%an%n%ae", "--", *there]).splitlines()
    if len(author) != 2:
        raise UsageError(f"git knows no author of {job.campaign.name}'s files", todo="commit them first")
    if by.strip().casefold() in (name.strip().casefold() for name in author):
        raise UsageError(
            f"{by} was the last to change {job.campaign.name}, and another person must approve it",
            todo="let another person approve",
        )


def git(folder: Path, arguments: Sequence[str]) -> str:
    """The output of git. Raises UsageError if git fails or is not installed."""
    program = shutil.which("git")
    if program is None:
        raise UsageError("git is needed to find the author of the campaign, and is not installed")
    done = subprocess.run([program, "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UsageError(f"git cannot find the author of the campaign: {done.stderr.strip()}")
    return done.stdout


def changes(before: Definition | None, now: Definition) -> Iterator[str]:
    """The differences from an earlier definition, as lines. Without an earlier one, the names of all texts."""
    if before is None:
        for name in sorted(now.parts):
            yield f"{name}: new"
        return
    for name in sorted({*before.parts, *now.parts}):
        old, new = before.parts.get(name), now.parts.get(name)
        if old is None or new is None:
            yield f"{name}: {'new' if old is None else 'gone'}"
        elif old != new:
            yield f"{name}: changed"
            lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
            yield from (f"  {line}" for line in list(lines)[2:])
