"""The sizes of cells: the numbers of the usual formula, what the last file would show, and clear errors."""

import sys
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from statistics import NormalDist

import duckdb
import pytest

from dmail_runner.cli.power import base_rate, share
from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, run_name
from dmail_runner.look.power import Plan, check_plan, power_lines, power_of, power_report, size_of_cell

SLOT = datetime(2027, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    found.prepare()
    return found


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings, lambda: SLOT)


def formula(plan: Plan) -> float:
    """The size of two equal groups, as in textbooks."""
    one, other = plan.rate, plan.rate + plan.lift
    mean, quantile = (one + other) / 2, NormalDist().inv_cdf
    root = quantile(1 - plan.level / 2) * sqrt(2 * mean * (1 - mean))
    root += quantile(plan.power) * sqrt(one * (1 - one) + other * (1 - other))
    return float(root**2 / plan.lift**2)


@pytest.mark.parametrize(
    "plan", [Plan(0.02, 0.003), Plan(0.001, 0.0005, power=0.9), Plan(0.3, 0.1), Plan(0.02, 0.005, level=0.1)]
)
def test_sizes_are_those_of_the_formula_and_reach_the_power(plan: Plan) -> None:
    size = size_of_cell(plan)
    assert size == pytest.approx(formula(plan), rel=0.01)
    assert power_of(plan, size, size) == pytest.approx(plan.power, abs=0.005)
    tenth = size_of_cell(plan, 1 / 9)
    assert power_of(plan, tenth, tenth // 9) == pytest.approx(plan.power, abs=0.01)


def record(settings: Settings, ledger: Ledger, rows: str) -> str:
    run_id = run_name("spring", SLOT)
    ledger.open(Planned(run_id, "spring", SLOT))
    (settings.history_dir / run_id).mkdir(parents=True)
    duckdb.execute(f"copy ({rows}) to '{settings.history_dir / run_id / 'contacts.parquet'}'")
    return run_id


def test_the_last_file_has_a_power_for_each_cell(settings: Settings, ledger: Ledger) -> None:
    run_id = record(
        settings,
        ledger,
        "select 'p' || range as profile_id, 'h' || range // 2 as household_key, if(range < 4000, 'holdout', 'mailed') as cell, "
        "if(range < 4000, null, if(range < 10000, 'A', 'B')) as treatment from range(20000)",
    )
    found = power_report(settings, ledger, "spring", Plan(0.02, 0.01))
    assert (found.run_id, [(cell.name, cell.units, cell.held_out) for cell in found.cells]) == (
        run_id,
        [("A", 3_000, 2_000), ("B", 5_000, 2_000)],
    )
    small, large = (cell.power for cell in found.cells)
    assert small is not None
    assert large is not None
    assert 0.4 < small < large < 0.8
    assert any("B: 5,000 units against 2,000 held out" in line for line in power_lines(found))


def test_a_campaign_without_control_group_or_without_a_file(settings: Settings, ledger: Ledger) -> None:
    assert power_report(settings, ledger, "spring", Plan(0.02, 0.01)).run_id is None
    record(settings, ledger, "select 'p' as profile_id, null::varchar as household_key, 'mailed' as cell")
    lines = list(power_lines(power_report(settings, ledger, "spring", Plan(0.02, 0.01))))
    assert lines[-1] == "  mailed: 1 units, no control group, so that no lift can be found"


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    monkeypatch.setitem(sys.modules, "statsmodels.stats", None)
    with pytest.raises(UsageError, match="statsmodels is not installed") as caught:
        size_of_cell(Plan(0.02, 0.01))
    assert "dmail-runner[results]" in str(caught.value)


def test_what_is_no_percentage_or_no_test() -> None:
    assert share("--lift", "0.3%") == pytest.approx(0.003)
    for text in ("0.3", "x%", "-1%", "1e3%", "٣%", ""):
        with pytest.raises(UsageError, match="is not a percentage"):
            share("--lift", text)
    for rate, lift, power in ((0, 0.1, 0.8), (1, 0.1, 0.8), (0.9, 0.1, 0.8), (0.1, 0, 0.8), (0.1, 0.1, 1), (0.1, 0.1, 0.01)):
        with pytest.raises(UsageError, match="must be above"):
            check_plan(Plan(rate, lift, power))
    assert base_rate(None, 0.02, "c") == 0.02
    with pytest.raises(UsageError, match="--rate is required"):
        base_rate(None, None, "c")
