"""The gates' messages in Portuguese: those that the real gates write, and no half of one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dmail_runner.check.exclusions import Figures, check_exclusions
from dmail_runner.check.volume import check_volume
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Baseline, Churn, ConsentFigures, ListFigures, SourceFigures, Verdicts
from dmail_runner.report.words.messages import message, portuguese
from tiny import letter

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
