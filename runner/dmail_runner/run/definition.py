"""The definition of a campaign, which an approval covers, and how two definitions differ."""

import difflib
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from dmail_runner.check.registers import asks
from dmail_runner.core.counted import counted
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.policy import Duty, Policy, find_policy, strongest
from dmail_runner.project.inputs import input_texts, pretty
from dmail_runner.run.job import Job

# Parts with a line for each setting: each line that differs is shown.
LINES = ("environment", "versions")
MAX_NAMES = 6
GROUPS = {"macro": "macros", "model": "models", "seed": "seeds", "snapshot": "snapshots", "source": "sources", "test": "tests"}


@dataclass(frozen=True)
class Definition:
    """Everything that decides what a campaign mails and to whom, except the data. It contains no secret.

    Attributes:
        parts: texts by name, such as `model dmail.letter__extract`.
    """

    parts: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all parts."""
        return hashlib.sha256(json.dumps(self.parts, sort_keys=True).encode()).hexdigest()


def defined(job: Job) -> Definition:
    """The present definition of a campaign. Raises ConfigError if one of its inputs cannot be determined."""
    built = job.campaign.definition()
    codes = [text for name, text in built.items() if name.split()[0] not in ("seed", "source")]
    mail, policy = job.campaign.mail, find_policy(job.settings)
    return Definition(
        {
            **built,
            **dict(input_texts(job.settings, codes)),
            "delivery": pretty({"label": job.campaign.label, **mail.model_dump(mode="json")}),
            f"provider {mail.provider}": pretty(job.provider.model_dump(mode="json", exclude={"compared"})),
            # Secrets are masked, so that a new password needs no approval.
            f"route {job.provider.route}": pretty(job.route.model_dump(mode="json")).replace(f"{job.settings.project_dir}/", ""),
            "policy": pretty(policy.model_dump(mode="json")),
            "columns": pretty([vars(column) for column in job.campaign.columns]),
            **received(job),
            **shared_budget(job),
            **consulted(job, policy),
        }
    )


def received(job: Job) -> dict[str, str]:
    """How the files are read that providers send back, for a campaign whose models read them."""
    if not any(table.startswith("inbound_") for table in job.campaign.records):
        return {}
    own = {"move_to", "afterwards", "every", "marker"}
    return {
        f"inbound {name}": pretty(entry.model_dump(mode="json", exclude=own)).replace(f"{job.settings.project_dir}/", "")
        for name, entry in find_inbound(job.settings).items()
    }


def shared_budget(job: Job) -> dict[str, str]:
    """The budget of the campaign's programme."""
    name = job.campaign.mail.programme
    return {f"programme {name}": pretty(job.budget.model_dump(mode="json"))} if name and job.budget else {}


def consulted(job: Job, policy: Policy) -> dict[str, str]:
    """The registers of all countries and the lists that are copies of them, for a campaign that must consult them."""
    if not asks(job.campaign, policy):
        return {}
    rows = (f"{one.country} {one.id} {one.level} {one.max_age} {' '.join(one.lifted_by)}" for one in job.campaign.registers)
    lists = (pretty(entry.model_dump(mode="json")) for entry in job.campaign.lists if entry.register_id)
    return {"registers": "\n".join([*rows, *lists])}


def declared_duty(job: Job, policy: Policy) -> Duty | None:
    """The approval that the campaign, its provider, its route and the project require."""
    own: dict[str | None, Duty] = {"required": "one", "four_eyes": "four_eyes", "two": "two"}
    approval = own.get(job.campaign.mail.approval)
    return strongest(approval, job.provider.require_approval, job.route.require_approval, policy.require_approval)


def summary(before: Definition | None, now: Definition) -> Iterator[str]:
    """The changes, one line for each kind of part: names, and values of settings. Without `before` everything is new."""
    if before is None:
        counts: dict[str, int] = defaultdict(int)
        for name in now.parts:
            counts[group_of(name)] += 1
        yield "new: " + ", ".join(f"{count:,} {group}" if count > 1 else group for group, count in counts.items())
        return
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, how in differing(before, now):
        found[group_of(name)][how].append(name.partition(" ")[2])
    for group, names in found.items():
        changes = "; ".join(f"{how}: {shortened(items)}" if any(items) else how for how, items in names.items())
        yield f"  {group:<12}{changes}"
        if group in LINES:
            yield from (f"    {line}" for line in line_changes(before.parts.get(group, ""), now.parts.get(group, "")))


def group_of(name: str) -> str:
    """The kind of a part."""
    kind = name.partition(" ")[0]
    return GROUPS.get(kind, kind)


def shortened(names: Sequence[str]) -> str:
    """Some names, and how many others there are."""
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {counted(more, 'other')}" if more > 0 else "")


def differing(before: Definition, now: Definition) -> Iterator[tuple[str, str]]:
    """The name of each part that differs, and how: `new`, `removed` or `changed`."""
    for name in sorted({*before.parts, *now.parts}):
        old, new = before.parts.get(name), now.parts.get(name)
        if old != new:
            yield name, "new" if old is None else "removed" if new is None else "changed"


def line_changes(before: str, now: str) -> Iterator[str]:
    """The lines that differ, without context."""
    lines = list(difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=0))[2:]
    return (line for line in lines if not line.startswith("@@"))


def full_text(before: Definition | None, now: Definition) -> Iterator[str]:
    """The parts that differ, line by line. Without `before`, the complete text of all parts."""
    if before is None:
        yield from chain.from_iterable(
            (name, *(f"  {line}" for line in now.parts[name].splitlines())) for name in sorted(now.parts)
        )
        return
    for name, how in differing(before, now):
        yield f"{name}: {how}"
        old, new = before.parts.get(name, ""), now.parts.get(name, "")
        lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))
        yield from (f"  {line}" for line in lines[2:])
