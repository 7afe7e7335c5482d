"""Lines fit into the terminal, at blanks, and nothing of them is lost."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dmail_runner.cli.width import folded, parts_of

WORDS = st.lists(
    st.sampled_from(["a", "held:", "->", "漢字", "spring_catalog-20270301T110000Z", "x" * 100, "  42,869"]), min_size=1
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(WORDS, st.sampled_from([80, 120]))
def test_only_words_that_do_not_fit_are_wider_than_the_terminal(words: list[str], cells: int) -> None:
    line = " ".join(words)
    parts = list(parts_of(line, cells))
    assert "".join(" ".join(parts).split()) == "".join(line.split())
    for part in parts:
        assert cell_len(part) <= cells or any(cell_len(word) > cells // 2 for word in part.split()), part


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (
            "spring_catalog  active  acme_print  outbox  Mon 2027-03-01 06:00 America/New_York, in 3 days",
            [
                "spring_catalog  active  acme_print  outbox  Mon 2027-03-01 06:00",
                " " * 44 + "America/New_York, in 3 days",
            ],
        ),
        (
            "warn  umask         is 0022, and other users can read logs/dbt.log  -> chmod -R go= logs target; umask 077",
            [
                "warn  umask         is 0022, and other users can read logs/dbt.log",
                " " * 20 + "-> chmod -R go= logs target; umask 077",
            ],
        ),
        (
            "note     the run is held: dmail-runner release spring_catalog-20270301T110000Z --reason TEXT",
            ["note     the run is held:", "  dmail-runner release spring_catalog-20270301T110000Z --reason TEXT"],
        ),
        (
            "  -> find out why (`diff`); use `dmail-runner release spring_catalog-20270301T110000Z --reason ...` when the run is held",
            [
                "-> find out why (`diff`); use",
                "`dmail-runner release spring_catalog-20270301T110000Z --reason ...` when the",
                "run is held",
            ],
        ),
        (
            "  -> dmail-runner approve thank_you --show prints the definition; dmail-runner approve thank_you approves it",
            ["-> dmail-runner approve thank_you --show prints the definition;", "dmail-runner approve thank_you approves it"],
        ),
        (
            "skip  route acme_sftp  sftp.acme.example:22 was not tried  -> dmail-runner doctor --network connects to it",
            ["skip  route acme_sftp  sftp.acme.example:22 was not tried", "-> dmail-runner doctor --network connects to it"],
        ),
        (
            "warning: profiles/routes.yml: acme_sftp: has not been used yet: `dmail-runner route test acme_sftp` tests it",
            ["warning: profiles/routes.yml: acme_sftp: has not been used yet:", "`dmail-runner route test acme_sftp` tests it"],
        ),
    ],
)
def test_later_parts_begin_at_the_last_column_and_commands_stay_in_one_line(line: str, parts: list[str]) -> None:
    assert [part.lstrip() for part in parts_of(line, 80)] == [part.lstrip() for part in parts]
    assert max(map(len, parts_of(line, 80))) <= 80


def test_a_pipe_gets_the_line_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    line = " ".join(["word"] * 40)
    assert folded(line, io.StringIO()) == line
    assert re.sub(r"\s+", " ", folded(line, Terminal())) == line
    assert max(map(len, folded(line, Terminal()).split("\n"))) <= 80
