"""Approval: a person's word that a campaign, exactly as it is defined, may be mailed. Any change of it needs another."""

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
    """Everything that decides what a campaign mails and to whom, but for the data: text by what it is. No secret is in it."""

    parts: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(self.parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Approval:
    """Who has approved what."""

    at: datetime
    by: str
    fingerprint: str
    definition: Definition


def defined(job: Job) -> Definition:
    """A campaign's definition as it is now: models and the macros that they use, contract, delivery, provider and route."""
    variables = read_yaml(job.settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("vars") or {}
    mail = job.campaign.mail
    return Definition(
        {
            **job.campaign.definition(),
            "variables": pretty(variables),
            "delivery": pretty(mail.model_dump(mode="json")),
            f"provider {mail.provider}": pretty(job.provider.model_dump(mode="json")),
            # Secrets are masked in it, so that a new password needs nobody's word.
            f"route {job.provider.route}": pretty(job.route.model_dump(mode="json")).replace(f"{job.settings.project_dir}/", ""),
        }
    )


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, default=str, ensure_ascii=False)


def approved(job: Job, ledger: Ledger) -> None:
    """Raises Held where the campaign needs an approval that it does not have."""
    if job.campaign.mail.approval is None:
        return
    fingerprint = defined(job).fingerprint
    last = last_approval(ledger, job.campaign.name)
    if last is None or last.fingerprint != fingerprint:
        since = f", and was changed since {last.by} approved it on {last.at:%Y-%m-%d}" if last else ""
        raise Held(
            HOLD,
            f"{job.campaign.name} waits for an approval of {fingerprint[:12]}{since}: nothing was built or delivered",
            todo=f"dmail-runner approve {job.campaign.name} --show tells what it is; with --by NAME it may go",
        )


def last_approval(ledger: Ledger, campaign: str) -> Approval | None:
    """The newest approval of a campaign."""
    query = approvals.select().where(approvals.c.campaign == campaign).order_by(approvals.c.number.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).first()
    at = moment(row.at) if row else None
    return Approval(at, row.by, row.fingerprint, Definition(json.loads(row.content))) if row and at else None


def approve(job: Job, ledger: Ledger, by: str, user: str, *, four_eyes: bool) -> str:
    """Approve a campaign as it is; its fingerprint. `by`: the person's name; `user`: who this machine says it is.

    Raises UsageError where four eyes are asked for, and the same person was the last to change it.
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
    """Raises UsageError where `by` is the last author of the campaign's files, or nobody knows who is."""
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
            f"{by} was the last to change {job.campaign.name}: four eyes are asked for", todo="let another person approve"
        )


def git(folder: Path, arguments: Sequence[str]) -> str:
    """What git says. Raises UsageError where it cannot be asked."""
    program = shutil.which("git")
    if program is None:
        raise UsageError("git cannot be asked who changed the campaign: it is not installed")
    done = subprocess.run([program, "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UsageError(f"git cannot be asked who changed the campaign: {done.stderr.strip()}")
    return done.stdout


def changes(before: Definition | None, now: Definition) -> Iterator[str]:
    """What a person looks at: all that is defined, or, where something was approved before, what is different since."""
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
