"""Approval: people confirm that a campaign may be mailed exactly as it is defined. Any change needs another approval.

A campaign's author cannot reduce the requirements: those of the definition in force, and of its provider and route, hold until
an approved definition requires less. The approvers are those of the policy that was approved last.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dmail_runner.core.errors import BuildError, Held, UsageError
from dmail_runner.core.values import Build
from dmail_runner.core.yaml import parse
from dmail_runner.declare.policy import FILE, Approver, Duty, Policy, find_policy, strongest
from dmail_runner.ledger.approvals import (
    ENTRIES,
    IN_FORCE,
    POLICY,
    SUBJECT,
    Approval,
    InForce,
    add_approval,
    entries_in_force,
    in_force,
    policy_in_force,
    read_approvals,
)
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.functions import foreign_functions
from dmail_runner.project.inputs import project_state
from dmail_runner.project.target import declared_target
from dmail_runner.run.authors import head_commit, written_by
from dmail_runner.run.definition import Definition, declared_duty, defined
from dmail_runner.run.job import Job
from dmail_runner.run.signature import request_text, signer

HOLD = "approval"
PEOPLE: Mapping[Duty, int] = {"one": 1, "four_eyes": 1, "two": 2}


@dataclass(frozen=True)
class Case:
    """The situation before an approval.

    Attributes:
        definition: the present definition.
        before: the definition in force, if there is one.
        duty: the required approval; None if none is required.
        listed: whether there is a list of approvers.
        approvers: the people who may approve, by name: those of the policy in force that the project still lists.
    """

    definition: Definition
    before: InForce | None
    duty: Duty | None
    listed: bool
    approvers: Mapping[str, Approver]

    @property
    def after(self) -> str:
        """The hash of the event of the definition in force; empty without one."""
        return self.before.hash if self.before else ""


@dataclass(frozen=True)
class Recorded:
    """A recorded approval. `missing`: the number of further people whose approval is needed. `by`: the person."""

    fingerprint: str
    by: str
    missing: int


def case_of(job: Job, ledger: Ledger) -> Case:
    """The present requirements of a campaign. Raises ConfigError if its definition cannot be determined."""
    policy, agreed = find_policy(job.settings), agreed_policy(ledger)
    approvers = common(policy.approvers, agreed.approvers) if agreed and agreed.approvers else policy.approvers
    listed = bool(policy.approvers or (agreed and agreed.approvers))
    return Case(defined(job), in_force(ledger, job.campaign.name), required(job, ledger), listed, approvers)


def required(job: Job, ledger: Ledger) -> Duty | None:
    """The approval that a campaign needs: the strongest of the present declarations and of those in force."""
    agreed, before = agreed_policy(ledger), in_force(ledger, job.campaign.name)
    declared, entries = declared_duty(job, find_policy(job.settings)), entries_in_force(ledger)
    known = [entries.get(name) for name in entry_duties(job)]
    return strongest(declared, *known, before.duty if before else None, agreed.require_approval if agreed else None)


def entry_duties(job: Job) -> dict[str, Duty | None]:
    """The approvals that the campaign's provider and route require, by name."""
    provider, route = job.campaign.mail.provider, job.provider.route
    return {f"provider {provider}": job.provider.require_approval, f"route {route}": job.route.require_approval}


def agreed_policy(ledger: Ledger) -> Policy | None:
    """The policy of the definition that was approved last in this project; None if nothing was approved."""
    known = policy_in_force(ledger)
    policy: Policy | None = parse(Policy, json.loads(known), "the ledger", "policy") if known else None
    return policy


def common(declared: Mapping[str, Approver], agreed: Mapping[str, Approver]) -> dict[str, Approver]:
    """The approvers that two lists have in common, each with the accounts and keys that both lists have."""
    found = {}
    for name in declared.keys() & agreed.keys():
        one, other = declared[name], agreed[name]
        account, key = ({*one.account} & {*other.account}, {*one.key} & {*other.key})
        if account or key:
            found[name] = Approver(account=tuple(account), key=tuple(key), git=(*one.git, *other.git))
    return found


def approved(job: Job, ledger: Ledger) -> None:
    """Raises Held if the campaign needs an approval that it does not have."""
    if required(job, ledger) is None:
        return
    campaign, case = job.campaign.name, case_of(job, ledger)
    fingerprint = case.definition.fingerprint
    if case.duty is None or is_fulfilled(
        case, find_policy(job.settings), read_approvals(ledger, campaign, fingerprint), campaign
    ):
        return
    last = next(iter(read_approvals(ledger, campaign)), None)
    since = (
        f", and was changed since {last.by} approved it on {last.at:%Y-%m-%d}" if last and last.fingerprint != fingerprint else ""
    )
    raise Held(
        HOLD,
        f"{campaign} waits for an approval of {fingerprint[:12]}{since}: nothing was built or delivered",
        todo=f"dmail-runner approve {campaign} --show prints the definition; dmail-runner approve {campaign} approves it",
    )


def confirm_built(job: Job, ledger: Ledger, built: Build) -> None:
    """Compare what dbt has built with the definition that the runner has read before, for a campaign that needs an approval.

    Raises:
        Held: if the project was changed meanwhile, even if the change was reverted. The service continues the run as soon as the
            present definition is approved.
        BuildError: if the warehouse has functions that the definition does not create.
    """
    if required(job, ledger) is None:
        return
    changed = bool(job.campaign.project) and project_state(job.settings) != job.campaign.project
    if changed or not built.as_defined:
        raise Held(
            HOLD,
            f"the project was changed while {job.campaign.name} was built, perhaps to something that nobody has approved: "
            "nothing was delivered",
            todo="dmail-runner resume builds it again",
        )
    if names := foreign_functions(job.settings, job.campaign.definition()):
        raise BuildError(
            f"the warehouse has the functions {', '.join(names)}, which nothing that was approved for {job.campaign.name} "
            "creates: they could change its file",
            todo=f"drop them (`drop macro {names[0]}`), or delete the warehouse, which the next run builds again",
        )


def last_in_force(ledger: Ledger, campaign: str) -> Approval | None:
    """The newest approval of the definition in force. None if nothing was approved, or by an earlier version of the runner."""
    before = in_force(ledger, campaign)
    return next(iter(read_approvals(ledger, campaign, before.fingerprint)), None) if before else None


def is_fulfilled(case: Case, policy: Policy, given: Sequence[Approval], campaign: str) -> bool:
    """Whether the definition is in force, and the approvals that have brought it into force still count."""
    if case.duty is None or case.before is None or case.before.fingerprint != case.definition.fingerprint:
        return False
    older = [approval for approval in given if approval.number < case.before.number]
    together = [approval for approval in older if approval.after == older[0].after]
    return len(people(together, policy.approvers, campaign)) >= PEOPLE[case.duty]


def approve(
    job: Job,
    ledger: Ledger,
    account: str,
    *,
    note: str | None = None,
    signature: str | None = None,
    four_eyes: bool = False,
    expected: str = "",
) -> Recorded:
    """Approve a campaign as it is.

    Args:
        account: the operating system's account of the person who runs the command.
        note: the person's comment.
        signature: an SSH signature of the request. The approver is then the owner of the key.
        four_eyes: refuse authors, even if that is not required.
        expected: the beginning of the fingerprint that the person has seen.

    Raises:
        UsageError: if the person may not approve, is an author of the campaign, or has seen another definition.
        ConfigError: if the definition cannot be determined.
    """
    case = case_of(job, ledger)
    duty = strongest(case.duty, "four_eyes" if four_eyes else "one") or "one"
    name, key = person(job, case, account, signature, duty)
    revision = head_commit(job)
    if duty != "one":
        refuse_author(job, case, name, account, ledger)
    fingerprint = case.definition.fingerprint
    if not fingerprint.startswith(expected):
        raise UsageError(
            f"{job.campaign.name} is defined as {fingerprint[:12]}, not as {expected}: it was changed meanwhile",
            todo=f"dmail-runner approve {job.campaign.name} --show prints what has changed",
        )
    given = Approval(ledger.now(), name, fingerprint, case.definition.parts, account, key, signature, case.after, note, revision)
    pending = [one for one in read_approvals(ledger, job.campaign.name, fingerprint) if one.after == case.after]
    earlier = people(pending, find_policy(job.settings).approvers, job.campaign.name)
    missing = PEOPLE[duty] - len({*earlier, name})
    following = coming_into_force(job, ledger, fingerprint) if missing <= 0 else []
    with ledger.writing() as connection:
        add_approval(ledger, connection, job.campaign.name, given)
        for subject, kind, detail in following:
            ledger.record(connection, subject, kind, detail)
    return Recorded(fingerprint, name, max(missing, 0))


def coming_into_force(job: Job, ledger: Ledger, fingerprint: str) -> list[tuple[str, str, str]]:
    """The events of a definition that comes into force, with its policy and the requirements of its provider and route."""
    policy, duties, known = find_policy(job.settings), entry_duties(job), entries_in_force(ledger)
    target = declared_target(job.settings).name
    found = [(job.campaign.name, IN_FORCE, f"{fingerprint} {declared_duty(job, policy) or '-'} {target}")]
    if policy != agreed_policy(ledger):
        found.append((SUBJECT, POLICY, json.dumps(policy.model_dump(mode="json"), sort_keys=True)))
    if any(known.get(name) != duty for name, duty in duties.items()):
        found.append((SUBJECT, ENTRIES, json.dumps(duties, sort_keys=True)))
    return found


def people(given: Sequence[Approval], approvers: Mapping[str, Approver], campaign: str) -> set[str]:
    """The people whose approvals are valid. Signatures are verified again, and accounts must still be the approver's."""
    counted = set()
    for approval in given:
        if approval.signature:
            text = request_text(campaign, approval.fingerprint, approval.after or "")
            with suppress(UsageError):
                counted.add(signer(text, approval.signature, approvers)[0])
        elif not approvers or (approval.by in approvers and approval.account in approvers[approval.by].account):
            counted.add(approval.by)
    return counted


def person(job: Job, case: Case, account: str, signature: str | None, duty: Duty) -> tuple[str, str | None]:
    """The name of the approver, and the key of a signed approval. Raises UsageError if the person may not approve."""
    if signature is not None:
        return signer(request(job, case), signature, case.approvers)
    if not case.listed:
        if duty == "one":
            return account, None
        raise UsageError(
            f"{job.campaign.name} needs an approval of the kind {duty}, and {FILE} lists no approvers",
            todo="list the people in `approvers`, by account or by key",
        )
    name = next((name for name, approver in case.approvers.items() if account in approver.account), None)
    if name is None:
        known = ", ".join(sorted(case.approvers)) or "none"
        raise UsageError(
            f"the account {account} does not belong to an approver of {job.campaign.name}; the approvers are: {known}",
            todo=f"let an approver run the command, or sign the text of `dmail-runner approve {job.campaign.name} --request`",
        )
    return name, None


def request(job: Job, case: Case) -> str:
    """The text that an approver signs."""
    return request_text(job.campaign.name, case.definition.fingerprint, case.after)


def refuse_author(job: Job, case: Case, name: str, account: str, ledger: Ledger) -> None:
    """Raises UsageError if the person is an author of the campaign, or if the authors are unknown."""
    last = last_in_force(ledger, job.campaign.name)
    authors = written_by(job, last.revision if last else None)
    approver = case.approvers.get(name)
    names = {name, *(approver.account if approver else (account,)), *(approver.git if approver else ())}
    if found := sorted(one for one in names if one.casefold() in authors):
        raise UsageError(
            f"{name} is an author of {job.campaign.name}, by git ({', '.join(found)}): authors cannot approve",
            todo="let another person approve",
        )
