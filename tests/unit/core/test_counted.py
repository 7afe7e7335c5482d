"""Numbers with their nouns."""

import pytest

from dmail_runner.core.counted import counted


@pytest.mark.parametrize(
    ("number", "one", "many", "text"),
    [
        (1, "row", None, "1 row"),
        (0, "row", None, "0 rows"),
        (1_200, "row", None, "1,200 rows"),
        (1, "value is", "values are", "1 value is"),
        (2, "value is", "values are", "2 values are"),
    ],
)
def test_a_noun_agrees_with_its_number(number: int, one: str, many: str | None, text: str) -> None:
    assert counted(number, one, many) == text
