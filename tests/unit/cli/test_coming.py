"""What a terminal shows after a run, while nothing is due, and while something works."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress

from dmail_runner.cli.colours import with_states
from dmail_runner.cli.coming import distance, moment_there
from dmail_runner.cli.progress_columns import columns
from dmail_runner.cli.text import explanation_lines, figures, record_lines
from dmail_runner.core.values import Comparison, Verdicts
from dmail_runner.look.explain import Explanation, as_percent
from dmail_runner.run.comparison import comparison_lines
from terminal import ESCAPE
from worlds import DAY

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_time_is_local_and_says_how_far_away_it_is() -> None:
    assert moment_there(NOW + 3 * DAY, "America/New_York", NOW) == "Thu 2027-03-04 07:00 America/New_York, in 3 days"
    for seconds, text in ((0, "now"), (59, "now"), (60, "in 1 minute"), (7_300, "in 2 hours"), (-90_000, "1 day ago")):
        assert distance(timedelta(seconds=seconds)) == text


def test_states_have_colours_where_they_are_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text = "held: volume  x\nc  slot 2027-03-01 11:00 UTC  settled\nall settled cases  held_back  ok\n  ok     view\nnothing was\n            delivered"
    shown = with_states(text, Terminal())
    assert ESCAPE.sub("", shown) == text
    assert shown.count("\x1b[0m") == 4, "not those within a sentence"
    assert with_states(text, io.StringIO()) == text
    monkeypatch.setenv("NO_COLOR", "1")
    assert with_states(text, Terminal()) == text


@pytest.mark.parametrize("cells", [80, 120])
def test_a_bar_fits_into_the_terminal_with_any_name(cells: int) -> None:
    stream = Terminal()
    console = Console(file=stream, width=cells, force_terminal=True)
    with Progress(*columns(), console=console) as progress:
        progress.add_task("a_very_long_campaign_name_20270301T110000Z.csv", total=9_000_000, completed=10, unit="rows", detail="")
        progress.add_task("宛名" * 20, total=100, unit="nodes", detail="accepted_values_country_names_language_")
        progress.add_task("dbt reads the project", total=None, unit="", detail="")
        progress.refresh()
    text = ESCAPE.sub("", stream.getvalue())
    assert "10 of 9,000,000 rows" in text, "figures are complete"
    assert max(cell_len(line) for line in text.replace("\r", "\n").split("\n")) <= cells
    assert "249;38;114" not in stream.getvalue(), "the colour of alarms"


def test_wide_characters_keep_their_columns() -> None:
    first, second, third = record_lines(["name", "city"], [["山田", "東京"], ["Ann", "Graz"]], 80)
    assert first == "name  city"
    assert second == "山田  東京"
    assert third == "Ann   Graz"


def test_a_draw_is_shown_in_percent() -> None:
    assert as_percent("draw: 3e353f7c0000, below: 0ccccccd") == "drawn 24.3 %, held out below 5 %"
    assert as_percent("draw: ffffffff, below: g") == "drawn 100.0 %, held out below 100 %"
    assert as_percent("list: do_not_mail") == "list: do_not_mail"


def test_names_of_reasons_and_columns_may_be_wide() -> None:
    reason = "contract:お届け先の氏名と会社名:required"
    text = "\n".join([*figures(Verdicts(5, 2, {reason: 3})), *comparison_lines(Comparison(Verdicts(5, 2, {reason: 3})))])
    lines = [line for line in text.splitlines() if line.split()[0] in ("targeted", "included", reason)]
    assert [len({cell_len(line) for line in some}) for some in (lines[:3], lines[3:])] == [1, 1]
    explained = list(explanation_lines(Explanation("1", None, (), {"氏名": "Ann", "City": "Graz"}), NOW))
    printed = [explained[2].index("Ann"), explained[3].index("Graz")]
    assert [cell_len(line[:at]) for line, at in zip(explained[2:], printed, strict=True)] == [10, 10]
