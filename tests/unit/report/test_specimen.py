"""The made-up address on a campaign's page, from the unit tests of its extract."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from dmail_runner.report.campaign_page import campaign_view
from dmail_runner.report.declared import Declared
from dmail_runner.report.pages import Pages
from dmail_runner.report.specimen import block_columns, examples, specimens, window
from reports import NOW

PARTS = {"full_name": "Dr Ray", "address_line1": "12 Long Wharf", "city": "Boston", "region": "MA", "postal_code": "02134"}


def manifest_of(*tests: dict[str, Any]) -> Any:
    return SimpleNamespace(nodes={"e": {"name": "c__extract"}}, unit_tests=dict(enumerate(tests)))


def expecting(*rows: dict[str, Any], model: str = "c__extract") -> dict[str, Any]:
    return {"model": model, "expect": {"rows": [*rows]}}


def test_a_specimen_is_one_made_up_person() -> None:
    seed = {"full_name": "Paula Proof", "country": "GERMANY", "city": None, "postal_code": "", "fee": 9}
    rows = specimens(manifest_of(expecting(seed), expecting(PARTS), expecting({"city": "X"}, model="c__audience")), "e")
    assert rows == [PARTS, {"full_name": "Paula Proof", "country": "GERMANY", "fee": "9"}]
    assert examples(rows) == {**PARTS, "country": "GERMANY", "fee": "9"}, "what the fullest row lacks, another one may have"
    assert window(rows, []) == ("Dr Ray", "12 Long Wharf", "Boston MA 02134"), "of one row: nobody lives in two countries"
    assert window(rows[1:], []) == (), "a name is no address"
    assert specimens(manifest_of({"model": "c__extract", "expect": {"format": "csv", "fixture": "f"}}), "e") == []


def test_a_block_is_in_the_window_as_it_is_printed() -> None:
    made = {"address_block_1": "address_block(lines=3)", "address_block_2": "address_block(lines=3)", "fee": "format_money(fee)"}
    blocks = block_columns(made)
    assert blocks == ["address_block_1", "address_block_2"]
    rows = [PARTS, {"address_block_1": "Frau Erika Beispiel", "address_block_2": "10115 Berlin"}]
    assert window(rows, blocks) == ("Frau Erika Beispiel", "10115 Berlin")


def test_the_page_says_that_the_address_is_made_up() -> None:
    line = SimpleNamespace(label="Name", name="name", description="", kind="", rules=(), made_by=None, origins=(), example="")
    one: Any = replace(Declared("c", "C"), columns=(line,), window=("Dr Ray & Son", "02134 Boston"))
    pages = Pages(NOW, lineage=False)
    page = pages.campaign(campaign_view("c", one, [], [], set()))
    assert "Dr Ray &amp; Son<br>02134 Boston" in page
    assert "A made-up address" in page
    assert "the mail house arranges them" in page
    block = pages.campaign(campaign_view("c", replace(one, blocked=True), [], [], set()))
    assert "the mail house arranges them" not in block
    assert 'class="window"' not in pages.campaign(campaign_view("c", replace(one, window=()), [], [], set()))
