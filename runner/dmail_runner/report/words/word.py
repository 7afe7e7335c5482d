"""One text in the languages of the report."""

from typing import NamedTuple


class Word(NamedTuple):
    """A text in English and in Brazilian Portuguese. Both may have the same placeholders, such as `{count}`."""

    en: str
    pt: str
