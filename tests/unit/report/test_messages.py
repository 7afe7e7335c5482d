"""The gates' messages in Portuguese: those that the real gates write, and no half of one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dmail_runner.check.budget import Spent, check_budget
from dmail_runner.check.exclusions import Figures, check_exclusions
from dmail_runner.check.stock import add_by_value, check_stock, stock_faults
from dmail_runner.check.volume import check_volume
from dmail_runner.core.errors import Held
from dmail_runner.core.materials import Count, Need, Use
from dmail_runner.core.money import Estimate
from dmail_runner.core.values import Baseline, Churn, ConsentFigures, ListFigures, SourceFigures, Verdicts
from dmail_runner.declare.budget import Budget
from dmail_runner.report.words.messages import message, portuguese
from tiny import letter
from worlds import DAY

PROVIDER: Any = None  # only postal classes need it
LAST = Figures(
    2_000,
    {"consent": 80},
    Baseline(
        10_000,
        (ListFigures("deceased", 5_000, 60), ListFigures("do_not_mail", 40, 12)),
        (ConsentFigures("postal_mail_consent", 300, 150),),
    ),
)


def lists(*entries: ListFigures, **more: object) -> Figures:
    assert LAST.baseline
    return replace(LAST, baseline=replace(LAST.baseline, lists=entries, **more))


def exclusions() -> Iterator[str]:
    """What the gate of exclusions says in each of its cases."""
    old = LAST.baseline.lists if LAST.baseline else ()
    for now in (
        lists(),
        lists(old[0]),
        lists(replace(old[0], matched=3), old[1]),
        lists(*old, ListFigures("new", 90_000, 0)),
        lists(*old, replace(old[1], name="torn", keyless=39)),
        lists(*old, profiles=100),
        lists(*old, consents=(ConsentFigures("postal_mail_consent", 0, 0),)),
        lists(*old, consents=(ConsentFigures("postal_mail_consent", 300, 1),)),
        replace(LAST, excluded={"consent": 0}),
    ):
        with pytest.raises(Held) as held:
            check_exclusions(letter(), now, LAST)
        yield held.value.what


def volumes() -> Iterator[str]:
    """What the gate of volume says in each of its cases."""
    for guard, included, churn in (
        ({"min_rows": 10}, 1, None),
        ({"max_rows": 1_000}, 1_500, None),
        ({"max_change": "30%"}, 60_123, None),
        ({"max_churn": "10%"}, 90_000, Churn("x", 20_000, 30_000)),
        ({"max_churn": "10%"}, 90_000, None),
    ):
        with pytest.raises(Held) as held:
            check_volume(letter(guard=guard), PROVIDER, Verdicts(100_000, included, {}, churn=churn), 90_000)
        yield held.value.what


def supplies() -> Iterator[str]:
    """What the gates of budget and stock say in each of their cases."""
    order = Budget.model_validate({"order": "PO 1: A", "max": "50 EUR"})
    cost = Estimate("EUR", Decimal(1020))
    unknown = (
        "the cost of a-1 is in USD, not EUR",
        "a-2 was billed in CHF and USD, not EUR",
        "the tariff had no price for all pieces of a-3",
    )
    for found, spent in (
        (cost, Spent(Decimal("40.50"), 1)),
        (cost, Spent(Decimal(1040), 2)),
        (replace(cost, total=None, unpriced=12), Spent()),
        (cost, Spent(unknown=unknown)),
    ):
        with pytest.raises(Held) as held:
            check_budget(letter(budget={"order": "PO 1: A", "max": "50 EUR"}), order, found, spent)
        yield held.value.what
    now = datetime(2027, 3, 1, tzinfo=UTC)
    count = Count("a", 1_000, now)
    for need, uses in (
        (Need("a", 1_200, count), ()),
        (Need("a", 1_200, count), (Use("b-1", "a", 400),)),
        (Need("a", 1), ()),
        (Need("a", 1, replace(count, counted=now + 9 * DAY)), ()),
        (Need("a", 1, replace(count, counted=now - 30 * DAY)), ()),
        (Need("a", 1, replace(count, valid_until=now - DAY)), ()),
    ):
        yield from held_by_stock(stock_faults([need], {}, uses, now, now=now, within=14 * DAY))
    for fault in ("is in the stock several times", "has no count with a number and a time"):
        yield from held_by_stock(stock_faults([Need("a", 1)], {"a": fault}, (), now, now=now, within=None))
    (material,) = letter(materials=[{"by": "language", "items": {"de": "a"}}]).mail.materials
    for value, pieces in (("es", 12), ("es", 9), (None, 1_000)):
        yield from held_by_stock(add_by_value(Counter(), material, [(False, value, pieces)]))


def held_by_stock(faults: Iterator[str]) -> Iterator[str]:
    with pytest.raises(Held) as held:
        check_stock("letter", list(faults))
    yield held.value.what


def test_what_the_gates_of_money_and_materials_say_is_translated() -> None:
    texts = list(supplies())
    assert len(texts) == 15
    assert [text for text in texts if portuguese(text) is None] == []
    assert portuguese(texts[0]) == (
        "letter: a execução custa 1.020,00 EUR, e o pedido PO 1: A já custou 40,50 EUR em outras execuções (1): "
        "1.010,50 EUR a mais que o orçamento, 50,00 EUR: nada foi entregue"
    )
    assert str(portuguese(texts[3])).count("não em EUR") == 2
    assert portuguese(texts[5]) == (
        "letter: a execução precisa de 1.200 de a, e 1.000 foram contados em 2027-03-01, dos quais outras execuções precisam de 400: "
        "nada foi entregue"
    )
    assert ["'es'" in text for text in texts[-3:]] == [True, False, False], "a value of few pieces could point at somebody"


def test_what_the_gates_say_is_translated() -> None:
    texts = [*exclusions(), *volumes()]
    assert len(texts) == 14
    assert [text for text in texts if portuguese(text) is None] == []
    assert (
        portuguese(texts[11])
        == "letter: peças: 60.123, ante 90.000 na última execução: -33,2%, mais que max_change, 30%: nada foi entregue"
    )


def test_a_message_is_translated_completely_or_not_at_all() -> None:
    whole = "c: 4 people in the file have said no: nothing was delivered"
    assert portuguese(whole) == "c: pessoas no arquivo que disseram não: 4: nada foi entregue"
    assert portuguese("c: 4 people in the file have said no; something new: nothing was delivered") is None
    assert portuguese("outbox: Connection refused after 4 attempts: sftp.example:22") is None
    listed = "c: 5 people in the file are on a suppression list: 3 on deceased by person, 2 on do_not_mail by id: nothing was delivered"
    assert portuguese(listed) == (
        "c: pessoas no arquivo que estão em lista de supressão: 5: 3 em deceased por person, 2 em do_not_mail por id: nada foi entregue"
    )
    ids = (
        "c: no profile matches, but one has the same id except for a spreadsheet's changes (zeros, `.0`, scientific notation, blanks, "
        "apostrophes, separators, case): 3 of 1,040 entries of old; 1 of 1 entry of new: nothing was delivered"
    )
    assert str(portuguese(ids)).endswith("maiúsculas): 3 de 1.040 entradas de old; 1 de 1 entradas de new: nada foi entregue")
    assert message("outbox: <refused>") == '<span lang="en">outbox: &lt;refused&gt;</span>'
    approval = "c waits for an approval of 3f9ad2c43f9a, and was changed since Ann approved it on 2026-09-28: nothing was built or delivered"
    assert portuguese(approval) == (
        "c espera a aprovação de 3f9ad2c43f9a, e foi alterada desde que Ann a aprovou em 2026-09-28: nada foi gerado nem entregue"
    )
    said = {
        "from 2026-11-23 11:00 UTC": "a partir de 2026-11-23 11:00 UTC",
        "1,295 inputs, the contact history up to event 44": "dados de entrada: 1.295; histórico de contatos até o evento 44",
        "100,000 profiles, 1 suppression list": "perfis: 100.000; listas de supressão: 1",
        str(
            SourceFigures("crm.x", 1_000, datetime(2026, 8, 7, 7, tzinfo=UTC))
        ): "crm.x: linhas: 1.000, dados de 2026-08-07 07:00 UTC",
        str(SourceFigures("crm.x", 1)): "crm.x: linhas: 1",
        "2 people": "pessoas: 2",
    }
    assert {text: portuguese(text) for text in said} == said
    assert portuguese("held by ann: the shop closes, 1,5 weeks") == "retida por ann: the shop closes, 1,5 weeks", (
        "a person's own words"
    )
