"""What is unusual against the last run, and what is not."""

from dataclasses import replace

import pytest

from dmail_runner.check.exclusions import Figures, check_exclusions
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Baseline, ConsentFigures, ListFigures
from tiny import letter

BASELINE = Baseline(
    10_000,
    (ListFigures("deceased", 5_000, 60), ListFigures("do_not_mail", 40, 12), ListFigures("forgotten", 30, 20)),
    (ConsentFigures("postal_mail_consent", 300, 15), ConsentFigures("marketing_consent", 9_000, 400)),
)
LAST = Figures(2_000, {"consent": 80, "incomplete_address": 30, "duplicate": 40, "holdout": 100, "suppressed": 4}, BASELINE)


def told(now: Figures, last: Figures | None = LAST, **guard: object) -> str:
    """What the gate says; nothing where it lets the run pass."""
    try:
        check_exclusions(letter(guard=guard), now, last)
    except Held as hold:
        return f"{hold.hold}: {hold.what}"
    return ""


def lists(*entries: ListFigures) -> Figures:
    kept = [entry for entry in BASELINE.lists if entry.name not in {given.name for given in entries}]
    return replace(LAST, baseline=replace(BASELINE, lists=(*kept, *entries)))


def excluded(**counts: int) -> Figures:
    return replace(LAST, excluded={**LAST.excluded, **counts})


def test_nothing_has_changed() -> None:
    assert told(LAST) == ""
    assert told(LAST, None) == "", "a first run"
    assert told(replace(LAST, excluded={}), replace(LAST, excluded={}, baseline=None)) == "", "a ledger of an earlier version"


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (lists(ListFigures("deceased", 5_000, 3)), "3 of 5,000 entries of deceased matched a profile, and 60 did"),
        (lists(ListFigures("do_not_mail", 40, 0)), "0 of 40 entries of do_not_mail match"),
        (lists(ListFigures("do_not_mail", 0, 0)), "the suppression list do_not_mail has no entry, and had 40"),
        (replace(LAST, baseline=replace(BASELINE, lists=BASELINE.lists[1:])), "the suppression list deceased has no entry"),
        (replace(LAST, baseline=replace(BASELINE, lists=())), "the suppression lists have no entry"),
        (excluded(consent=0), "consent excludes 0 of 2,000 people, and excluded 80 of 2,000"),
        (excluded(consent=35), "consent excludes 35"),
        (excluded(consent=170), "consent excludes 170"),
        (excluded(holdout=0), "holdout excludes 0"),
        (excluded(incomplete_address=400), "incomplete_address excludes 400"),
    ],
)
def test_what_is_unusual_is_held(now: Figures, what: str) -> None:
    assert told(now).startswith("exclusions: ")
    assert what in told(now)


@pytest.mark.parametrize(
    "now",
    [
        lists(ListFigures("deceased", 5_000, 45)),
        lists(ListFigures("do_not_mail", 40, 6)),
        lists(ListFigures("forgotten", 30, 0)),
        lists(ListFigures("forgotten", 0, 0)),
        lists(ListFigures("new", 9_000, 500)),
        excluded(consent=60),
        excluded(consent=110),
        excluded(suppressed=0),
        excluded(suppressed=13),
        excluded(consent=40),
        excluded(incomplete_address=15),
        excluded(new_rule=500),
        excluded(frequency_cap=1_700, holdout=14, duplicate=5, incomplete_address=28),
    ],
)
def test_small_numbers_and_reasons_that_always_change_pass(now: Figures) -> None:
    assert told(now) == ""


def test_a_smaller_audience_excludes_fewer() -> None:
    fewer = Figures(200, {"consent": 9, "incomplete_address": 2, "duplicate": 3, "holdout": 11}, BASELINE)
    assert told(fewer) == ""
    assert told(LAST, fewer) == "", "and a larger one more"


def test_a_rule_after_a_cap_sees_fewer_people_one_before_it_all() -> None:
    capped = replace(LAST, targeted=2_000, excluded={"consent": 78, "frequency_cap": 1_800, "holdout": 4})
    assert told(capped) == ""
    assert told(LAST, capped) == "", "the week after, when the cap has ended"


@pytest.mark.parametrize("column", [0, 1])
def test_a_blank_consent_column_is_held_however_few_had_said_no(column: int) -> None:
    blank = [
        ConsentFigures(consent.column, 0, 0) if place == column else consent for place, consent in enumerate(BASELINE.consents)
    ]
    now = replace(LAST, baseline=replace(BASELINE, consents=tuple(blank)))
    assert "has no answer at all, and had" in told(now)


def test_refusals_that_fade_are_held() -> None:
    faded = (BASELINE.consents[0], ConsentFigures("marketing_consent", 9_000, 90))
    now = replace(LAST, baseline=replace(BASELINE, consents=faded))
    assert "90 profiles say no in marketing_consent, and 400 did" in told(now)
    fewer = replace(now, baseline=replace(now.baseline, profiles=2_300)) if now.baseline else now
    assert told(fewer, max_missing_profiles="100%") == "", "of fewer profiles"


def test_the_guard_says_how_much_is_usual() -> None:
    assert told(excluded(consent=35), max_reason_change="80%") == ""
    assert told(excluded(consent=0, holdout=0), max_reason_change="100%") == ""
    assert told(excluded(consent=40), max_reason_change="20%") != ""
    assert told(lists(ListFigures("deceased", 5_000, 3)), max_unmatched="99%") == ""
    assert told(lists(ListFigures("deceased", 5_000, 26)), max_unmatched="10%") != ""


@pytest.mark.parametrize(("count", "bound"), [(0, 0.5), (4_000, 2)])
def test_a_reason_comes_with_the_limit_that_it_has_crossed(count: int, bound: float) -> None:
    with pytest.raises(Held) as hold:
        check_exclusions(letter(guard={"max_reason_change": "50%"}), excluded(consent=count), LAST)
    limit = next(limit for limit in hold.value.limits if limit.reason == "consent")
    assert (limit.label, limit.value) == ("max_reason_change (consent)", round(LAST.excluded["consent"] * bound))


NAMES_ONLY = ListFigures("deceased", 60, 0, keyless=60)
STRANGE = ListFigures("deceased", 60, 0)


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (NAMES_ONLY, "60 of 60 entries of deceased can match nobody: they have neither an id nor a name with an address"),
        (ListFigures("deceased", 60, 20, keyless=40), "40 of 60 entries of deceased can match nobody"),
        (STRANGE, "none of the 60 entries of deceased matches a profile, and it is a new list"),
    ],
)
def test_a_list_that_can_match_nobody_waits_for_a_person(entry: ListFigures, what: str) -> None:
    assert what in told(lists(entry), None)
    settled = replace(lists(entry), excluded={})
    assert told(settled, settled) == "", "a person has let it pass"


def test_a_small_list_may_match_nobody() -> None:
    assert told(lists(ListFigures("deceased", 49, 0), ListFigures("do_not_mail", 40, 0, keyless=20)), None) == ""
