"""Numbers with their nouns, for messages."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with separators of thousands and its noun, such as `1 row` or `1,200 rows`.

    Args:
        number: the number.
        one: the words for the number 1, such as `row` or `value is`.
        many: the words for other numbers, such as `values are`. The default is `one` with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
