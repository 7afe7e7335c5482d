"""The texts of the report in English and in Brazilian Portuguese. Names from the ledger and from YAML are not translated."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from markupsafe import Markup, escape

from dmail_runner.report.words.labels import LABELS
from dmail_runner.report.words.needs import NEEDS
from dmail_runner.report.words.results import RESULTS
from dmail_runner.report.words.states import STATES
from dmail_runner.report.words.supplies import SUPPLIES
from dmail_runner.report.words.word import Word

__all__ = ["WORDS", "Word", "decimal", "dual", "event_word", "known", "number", "reason_word", "word"]

PORTUGUESE = str.maketrans(",.", ".,")  # from the English signs of numbers
WORDS: Mapping[str, Word] = {**LABELS, **NEEDS, **RESULTS, **STATES, **SUPPLIES}


def word(key: str, **values: object) -> Markup:
    """A text in both languages, of which the page shows one.

    Args:
        key: the key of the text.
        values: the values of its placeholders.

    Raises:
        KeyError: if there is no such text.
    """
    if not values:
        return constant(key)
    en, pt = WORDS[key]
    return dual(escape(en).format(**values), escape(pt).format(**values))


@cache
def constant(key: str) -> Markup:
    """A text without placeholders."""
    en, pt = WORDS[key]
    return dual(escape(en), escape(pt))


def known(group: str, name: str) -> Markup:
    """The text for a name in the ledger; the name itself if there is none, because other versions have other names."""
    return word(f"{group}.{name}") if f"{group}.{name}" in WORDS else Markup("<code>{}</code>").format(name)


def event_word(kind: str) -> Markup:
    """The text for an event's kind, which may be a run's state."""
    return known("state" if f"state.{kind}" in WORDS else "event", kind)


def reason_word(reason: str) -> Markup:
    """The text for an exclusion reason: a rule's, or a rule of the provider's contract."""
    head, colon, rule = reason.partition(":")
    return word("reason.contract", rule=rule) if head == "contract" and colon else known("reason", reason)


def dual(en: str, pt: str) -> Markup:
    """Two texts, of which the page shows one; only one text if they are the same."""
    if en == pt:
        return escape(en)
    return Markup('<span class="en">{}</span><span class="pt" lang="pt-BR">{}</span>').format(en, pt)


def decimal(value: float | Decimal, places: int, unit: str) -> Markup:
    """A number and its unit, which may be empty. `places`: decimal places, after a point in English and a comma in Portuguese."""
    blank = "" if unit in ("", "%") else "\u00a0"
    return written(f"{value:,.{places}f}", f"{blank}{unit}")


def number(value: int) -> Markup:
    """A number with separators of thousands, as each language writes it."""
    return written(f"{value:,}")


def written(en: str, unit: str = "") -> Markup:
    """A number as each language writes it. The page's language is that of the shown one, so that neither needs to name it."""
    pt = en.translate(PORTUGUESE)
    if en == pt:
        return escape(en + unit)
    return Markup('<span class="en">{0}{2}</span><span class="pt">{1}{2}</span>').format(en, pt, unit)
