"""The exclusions gate: holds a run if a suppression list, a consent column or an exclusion reason differs from the last run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import duckdb

from dmail_runner.check.ids import near_matches
from dmail_runner.check.opt_outs import people
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import IDENTICAL, Baseline, Build, SourceFigures, Verdicts
from dmail_runner.declare.campaign import KEY, Campaign, Guard
from dmail_runner.project.warehouse import quote

# Reasons that depend on earlier mailings, on the wave or on a quantity. Their figures change with every run.
CHANGING = ("frequency_cap", "already_mailed", "another_wave", "left_audience", "limit", IDENTICAL)
# The lists of people who leave the profiles, or whose address changes, as they should: erased on request, and returned mail.
CLEARED = ("forgotten", "returned_mail")
# The smallest difference that counts, in people and in standard deviations, because small numbers differ by chance.
FEWEST, DEVIATIONS = 10, 3
MANY = 50  # entries of a new list, of which one should match a profile


@dataclass(frozen=True)
class Figures:
    """The figures by which two runs are compared.

    Attributes:
        targeted: the number of targeted profiles.
        excluded: the number of excluded profiles by reason.
        baseline: the lists and consents; None if they are unknown.
        sources: the sources whose rows are counted.
    """

    targeted: int
    excluded: Mapping[str, int]
    baseline: Baseline | None
    sources: tuple[SourceFigures, ...] = ()

    @classmethod
    def of(cls, verdicts: Verdicts) -> "Figures":
        """The figures of a run."""
        return cls(verdicts.targeted, verdicts.excluded, verdicts.baseline, verdicts.sources)

    @property
    def fresh(self) -> int:
        """The number of targeted profiles, without those excluded for reasons that change with every run."""
        return self.targeted - sum(self.excluded.get(reason, 0) for reason in CHANGING)


def check_near_matches(campaign: Campaign, baseline: Baseline | None) -> None:
    """Check that no entry of a suppression list has a profile's id in a form that spreadsheets write.

    Raises:
        Held: if there is such an entry, unless the campaign declares `near_matches: tell`. This hold cannot be released, because
            the people of these entries may be in the file.
    """
    near = [entry for entry in baseline.lists if entry.near] if baseline else []
    if near and campaign.mail.guard.near_matches == "hold":
        found = "; ".join(
            f"{entry.near:,} of {counted(entry.entries, 'entry', 'entries')} of {one_line(entry.name)}" for entry in near
        )
        raise Held(
            "ids",
            f"{campaign.name}: no profile matches, but one has the same id except for a spreadsheet's changes (zeros, `.0`, "
            f"scientific notation, blanks, apostrophes, separators, case): {found}: nothing was delivered",
            todo="correct the list's ids, or convert them in the model with the role suppressions, then `dmail-runner resume "
            "RUN`; for ids that differ in this way declare `guard: {near_matches: tell}`",
        )


def check_contact_ids(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, contacts: Sequence[str]) -> None:
    """Check that nobody in the file has a spreadsheet's form of their id in the contact history. Caps would not count them.

    Args:
        connection: the session.
        build: the campaign's relations.
        campaign: the campaign.
        contacts: SQL for the contacts of some runs, each in parentheses.

    Raises:
        Held: if there is such a person, unless the campaign declares `near_matches: tell`.
    """
    if not contacts or campaign.mail.guard.near_matches == "tell":
        return
    key = quote(KEY)
    history = " union ".join(f"select {key} from {rows} as contacts" for rows in contacts)
    # Ids that are in the profiles are those of other people.
    others = f" anti join {build.profiles} as profiles using ({key})" if build.profiles else ""
    new = f"select {key} as id from {people(build, campaign)} as extract anti join ({history}) as contacts using ({key})"
    near = near_matches(connection, new, f"select {key} as id from ({history}) as contacts{others}")
    if near:
        raise Held(
            "ids",
            f"{campaign.name}: the contact history has {counted(len(near), 'person', 'people')} of the file only with an id that "
            f"a spreadsheet has changed, such as {KEY} {one_line(min(near))}: nothing was delivered",
            todo="correct the ids of the profiles, then `dmail-runner resume RUN`; for ids that differ in this way declare "
            "`guard: {near_matches: tell}`",
        )


def check_exclusions(campaign: Campaign, now: Figures, last: Figures | None) -> None:
    """Compare the exclusions with those of the last run.

    Raises:
        Held: if a list matches far fewer profiles than before, is empty or can match nobody; if a consent column is blank that
            had answers; if far fewer or far more people are excluded for a reason; if many profiles or rows are missing.
    """
    faults = [*empty_lists(now), *useless_lists(now, last)]
    if last:
        faults += [*missing_profiles(campaign.mail.guard, now, last), *missing_rows(campaign, now, last)]
        faults += [*vanished_lists(now, last), *unmatched_lists(campaign.mail.guard, now, last)]
        faults += [*faded_consents(campaign.mail.guard, now, last), *changed_reasons(campaign.mail.guard, now, last)]
    if faults:
        raise Held(
            "exclusions",
            f"{campaign.name}: {'; '.join(map(one_line, faults))}: nothing was delivered",
            todo=f"the list's source shows why, and dmail-runner diff {campaign.name} --slot SLOT does; dmail-runner release RUN "
            "--reason ... delivers it; `run --accept exclusions` with its `--slot` accepts it in advance",
        )


def missing_profiles(guard: Guard, now: Figures, last: Figures) -> Iterator[str]:
    """Far fewer profiles than in the last run: an export that was cut off."""
    if now.baseline and last.baseline:
        count, before = now.baseline.profiles, last.baseline.profiles
        if Expected(before, (1,)).fell(count, guard.max_missing_profiles):
            share = f"max_missing_profiles, {guard.max_missing_profiles:.0%}"
            yield f"there are {count:,} profiles, and {before:,} in the last run: more are missing than {share}"


def missing_rows(campaign: Campaign, now: Figures, last: Figures) -> Iterator[str]:
    """Sources with far fewer rows than in the last run."""
    limits = {source.name: source.rows.max_missing for source in campaign.inputs}
    before = {source.name: source.rows for source in last.sources}
    for source in now.sources:
        limit, old = limits.get(source.name), before.get(source.name)
        if limit is not None and old and source.rows is not None and source.rows < old * (1 - limit):
            rows = counted(source.rows, "row")
            yield f"{source.name} has {rows}, and had {old:,} in the last run: more are missing than {limit:.0%}"


def empty_lists(now: Figures) -> Iterator[str]:
    """The fault of suppression lists without any entry, because their source may not have been exported."""
    if now.baseline and not any(entry.entries for entry in now.baseline.lists if entry.name not in CLEARED):
        yield "the suppression lists have no entry"


def useless_lists(now: Figures, last: Figures | None) -> Iterator[str]:
    """Suppression lists that match nobody: those of which most entries have no key, and large ones that never matched.

    What a person has let pass once is usual from then on.
    """
    usual = {entry.name: entry for entry in last.baseline.lists} if last and last.baseline else {}
    for entry in now.baseline.lists if now.baseline else ():
        before = usual.get(entry.name)
        if 2 * entry.keyless > entry.entries and not (before and 2 * before.keyless > before.entries):
            yield (
                f"{entry.keyless:,} of {entry.entries:,} entries of {entry.name} can match nobody: they have neither an id nor a "
                "name with an address"
            )
        elif entry.entries >= MANY and not entry.matched and before is None and entry.name not in CLEARED:
            yield f"none of the {entry.entries:,} entries of {entry.name} matches a profile, and it is a new list"


def vanished_lists(now: Figures, last: Figures) -> Iterator[str]:
    """The faults of suppression lists that had entries in the last run and have none now."""
    if now.baseline and last.baseline:
        names = {entry.name for entry in now.baseline.lists if entry.entries}
        for before in last.baseline.lists:
            if before.entries and before.name not in names and before.name not in CLEARED:
                yield f"the suppression list {before.name} has no entry, and had {before.entries:,} in the last run"


def unmatched_lists(guard: Guard, now: Figures, last: Figures) -> Iterator[str]:
    """The faults of suppression lists that match far fewer profiles than in the last run."""
    if not now.baseline or not last.baseline:
        return
    matched = {entry.name: entry.matched for entry in last.baseline.lists}
    for entry in now.baseline.lists:
        before = matched.get(entry.name, 0)
        expected = Expected(before, (1, ratio(now.baseline.profiles, last.baseline.profiles)))
        if entry.name not in CLEARED and expected.fell(entry.matched, guard.max_unmatched):
            yield (
                f"{entry.matched:,} of {counted(entry.entries, 'entry', 'entries')} of {entry.name} matched a profile, and "
                f"{before:,} did in the last run, a larger change than max_unmatched, {guard.max_unmatched:.0%}"
            )


def faded_consents(guard: Guard, now: Figures, last: Figures) -> Iterator[str]:
    """The faults of consent columns that have lost all answers, or have far fewer refusals."""
    if not now.baseline or not last.baseline:
        return
    before = {consent.column: consent for consent in last.baseline.consents}
    for consent in now.baseline.consents:
        old = before.get(consent.column, consent)
        expected = Expected(old.refused, (1, ratio(now.baseline.profiles, last.baseline.profiles)))
        if old.answered and not consent.answered:
            yield f"{consent.column} has no answer at all, and had {old.answered:,} in the last run"
        elif expected.fell(consent.refused, guard.max_reason_change):
            refused = counted(consent.refused, "profile says", "profiles say")
            yield f"{refused} no in {consent.column}, and {old.refused:,} did in the last run"


def changed_reasons(guard: Guard, now: Figures, last: Figures) -> Iterator[str]:
    """The faults of reasons that exclude far fewer or far more people than in the last run, relative to all people."""
    for reason, before in sorted(last.excluded.items()):
        if reason in CHANGING or not before:
            continue
        count = now.excluded.get(reason, 0)
        # A rule may be before or after the rules that change with every run. It then applies to all people or to the fresh ones.
        expected = Expected(before, (ratio(now.targeted, last.targeted), ratio(now.fresh, last.fresh)))
        if expected.fell(count, guard.max_reason_change) or expected.rose(count, guard.max_reason_change):
            yield (
                f"{reason} excludes {count:,} of {counted(now.targeted, 'person', 'people')}, and excluded {before:,} of "
                f"{last.targeted:,} in the last run, a larger change than max_reason_change, {guard.max_reason_change:.0%}"
            )


@dataclass(frozen=True)
class Expected:
    """The expected number, from the number of the last run.

    Attributes:
        before: the number in the last run.
        scales: the ratios of people now to people then, counted in several ways. A number is unusual if it is by all of them.
    """

    before: int
    scales: tuple[float, ...]

    def fell(self, count: int, change: float) -> bool:
        """Whether a number is smaller than expected, by more than a share and by more than chance explains."""
        scale = min(self.scales)
        low = self.before * scale
        enough = min(low, self.before) >= FEWEST if count == 0 else low - count >= self.chance(scale)
        return count < low * (1 - change) and enough

    def rose(self, count: int, change: float) -> bool:
        """Whether a number is larger than expected, by more than the inverse of that share and by more than chance explains."""
        scale = max(self.scales)
        high = self.before * scale
        return change < 1 and count > high / (1 - change) and count - high >= self.chance(scale)

    def chance(self, scale: float) -> float:
        """The smallest difference that chance does not explain. Both numbers vary, and the last one's variation is scaled."""
        return max(FEWEST, DEVIATIONS * sqrt(self.before * scale + self.before * scale**2))


def ratio(now: int, last: int) -> float:
    """The ratio of two numbers of people."""
    return now / last if last else 1
