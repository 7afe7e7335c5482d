"""Why a piece has an offer or not, by the package's own macro."""

import duckdb

from dmail_runner.look.offers import offer_verdicts
from voucher_world import CampaignMacros

TABLES = """
create table pieces as select * from (values ('p1', 5), ('p2', 9)) as t (profile_id, orders);
create table offers (
    offer_id varchar, priority int, cap int, least int, valid_from timestamp default null, valid_until timestamp default null
);
insert into offers values
    ('bag', 9, 1, 0, null, null), ('ten', 5, null, 0, null, null), ('gold', 8, null, 9, null, null), ('five', 1, null, 0, null, null),
    ('past', 9, null, 0, null, timestamp '2027-03-01 06:00:00'), ('thanks', 0, null, 99, null, null);
"""


def test_each_offer_has_its_reason() -> None:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        macros = CampaignMacros(connection, "letter", "2027-03-01 06:00:00", DMAIL_EXPLAIN="1")
        offers = macros.best_offers(
            "people", "offers", eligible="piece.orders >= offer.least", rank="offer.priority + piece.orders", best=2,
            per="file", per_profile="1", fallback="thanks",
        )  # fmt: skip
        extract = (
            f"with people as (select * from pieces), offers_of as (\n{offers}\n), f as (select * from offers_of) select * from f"
        )
        assert connection.execute(f"{extract} order by all").fetchall() == [("p1", "ten", "five"), ("p2", "bag", "gold")]
        found = {offer.offer_id: (offer.given, offer.reason) for offer in offer_verdicts(connection, extract, "p1")}
        assert list(found) == ["ten", "five", "bag", "gold", "past", "thanks"]
        assert found == {
            "ten": (True, "offer_1"),
            "five": (True, "offer_2"),
            "bag": (False, "its cap is reached: it is left for 1, and this piece is number 2"),
            "gold": (False, "not eligible"),
            "past": (False, "not valid at the slot: from ever until 2027-03-01 06:00:00"),
            "thanks": (False, "not eligible"),
        }
        second = {offer.offer_id: offer.reason for offer in offer_verdicts(connection, extract, "p2")}
        assert second["ten"] == "lower rank: place 3, of which 2 are given"
        assert list(offer_verdicts(connection, extract, "nobody")) == []
        assert list(offer_verdicts(connection, "select * from pieces", "p1")) == []
