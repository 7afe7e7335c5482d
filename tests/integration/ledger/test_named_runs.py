"""Runs are found by what a person types, and listed by campaign, state and day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dmail_runner.cli.run_filters import no_run
from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, run_name

SLOTS = [datetime(2027, month, 1, 6, tzinfo=UTC) for month in (1, 2, 3)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    settings.prepare()
    ledger = Ledger(settings, lambda: SLOTS[-1])
    for campaign in ("fee", "fee_100%", "letter"):
        for slot in SLOTS:
            ledger.open(Planned(run_name(campaign, slot), campaign, slot))
    return ledger


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("letter-20270101T060000Z", "letter-20270101T060000Z"),
        ("letter-202702", "letter-20270201T060000Z"),
        ("letter", "letter-20270301T060000Z"),
        ("fee", "fee-20270301T060000Z"),
        ("fee_100%-202701", "fee_100%-20270101T060000Z"),
    ],
)
def test_a_run_is_named_by_its_beginning_or_its_campaign(ledger: Ledger, typed: str, meant: str) -> None:
    assert ledger.named(typed).run_id == meant


@pytest.mark.parametrize(
    ("typed", "said"), [("letter-2027", "several runs"), ("%", "no run"), ("", "several runs"), ("post", "no run")]
)
def test_a_name_of_no_run_or_several_is_refused(ledger: Ledger, typed: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ledger.named(typed)


def test_several_runs_are_named(ledger: Ledger) -> None:
    with pytest.raises(UsageError) as refused:
        ledger.named("letter-2027")
    assert "letter-20270301T060000Z, letter-20270201T060000Z" in str(refused.value.todo)


def test_a_misspelt_campaign_is_suggested(ledger: Ledger) -> None:
    with pytest.raises(UsageError) as refused:
        ledger.named("leter")
    assert refused.value.todo == "did you mean letter?"
    assert no_run(ledger, "leter") == "no run of leter; did you mean letter?"
    assert no_run(ledger, "letter") == no_run(ledger, None) == no_run(ledger, "something") == "no run"


def test_runs_are_filtered(ledger: Ledger) -> None:
    assert [run.run_id for run in ledger.latest(campaign="fee", since=SLOTS[1])] == [
        "fee-20270301T060000Z",
        "fee-20270201T060000Z",
    ]
    assert len(ledger.latest(state="planned")) == 9
    assert ledger.latest(state="settled") == []
