"""What mailings have brought: the models of results, in worlds whose truth is known, and compared with statsmodels."""

import itertools
import random

import duckdb
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from effort import SOAK
from rendered import CompileError
from results_world import ResultMacros, ResultsWorld, many_worlds

BASE, LIFT, MEAN_AMOUNT = 0.02, 0.005, 119.5
DAY = "2027-03-01 10:00:00"


@pytest.mark.soak
def test_intervals_cover_the_true_effect_in_95_of_100_worlds() -> None:
    worlds = 1_000 if SOAK else 100
    rows = many_worlds(range(worlds), households=2_400, base=BASE, lift=LIFT).rows(
        "from rpt_results where cell = 'mailed' and campaign <> 'other'"
    )
    assert len(rows) == worlds
    assert {row["verdict"] for row in rows} == {"measured"}
    covered = sum(row["lift_low"] <= LIFT <= row["lift_high"] for row in rows) / worlds
    revenue = [
        row["incremental_revenue_low"] <= LIFT * MEAN_AMOUNT * row["units"] <= row["incremental_revenue_high"] for row in rows
    ]
    mean = sum(row["lift"] for row in rows) / worlds
    error = (0.03 if SOAK else 0.06, 0.0006 if SOAK else 0.0018)  # some three standard errors
    assert covered == pytest.approx(0.95, abs=error[0])
    assert sum(revenue) / worlds == pytest.approx(0.95, abs=error[0])
    assert mean == pytest.approx(LIFT, abs=error[1]), "later slots, in which the control group is again, do not shift it"


def test_intervals_are_those_of_statsmodels() -> None:
    counts = [(x, n) for n in (100, 1_234, 50_000) for x in (0, 1, n // 30, n // 2, n)]
    pairs = list(itertools.product(counts, counts))
    with duckdb.connect() as connection:
        macros = ResultMacros(connection, {})
        connection.execute("create table pairs (x1 bigint, n1 bigint, x2 bigint, n2 bigint)")
        values = [list(column) for column in zip(*[(*one, *other) for one, other in pairs], strict=True)]
        connection.execute("insert into pairs select unnest(?), unnest(?), unnest(?), unnest(?)", values)
        bounds = ", ".join(
            f"x{nr} / n{nr} as p{nr}, {macros.wilson_bound(f'x{nr}', f'n{nr}', '-')} as p{nr}_low, "
            f"{macros.wilson_bound(f'x{nr}', f'n{nr}', '+')} as p{nr}_high"
            for nr in (1, 2)
        )
        low, high = (macros.newcombe_bound("p1", "p2", side) for side in ("-", "+"))
        found = connection.execute(f"select p1_low, p1_high, {low}, {high} from (select *, {bounds} from pairs)").fetchall()
    for ((x1, n1), (x2, n2)), row in zip(pairs, found, strict=True):
        expected = [
            *proportion_confint(x1, n1, method="wilson"),
            *confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff"),
        ]
        assert row == pytest.approx(expected, abs=1e-9), (x1, n1, x2, n2)


def test_the_revenue_is_compared_as_statsmodels_does() -> None:
    world, chance = ResultsWorld(), random.Random(25)
    people = [(f"p{number}", None, "holdout" if number % 3 == 0 else "mailed", None) for number in range(1_500)]
    world.mail("spring-1", DAY, people)
    amounts = {who: chance.choice([0, 0, 0, round(chance.uniform(5, 500), 2)]) for who, *_ in people}
    world.respond(*((who, "2027-03-09", amount) for who, amount in amounts.items() if amount))
    cells = [[amounts[who] for who, _, cell, _ in people if cell == wanted] for wanted in ("mailed", "holdout")]
    low, high = CompareMeans(*map(DescrStatsW, cells)).zconfint_diff(usevar="unequal")
    found = world.results()["mailed"]
    assert found["incremental_revenue_low"] == pytest.approx(low * 1_000)
    assert found["incremental_revenue_high"] == pytest.approx(high * 1_000)
    assert found["revenue"] == pytest.approx(sum(cells[0]))


def groups(world: ResultsWorld, *, mailed: int, held_out: int, run_id: str = "spring-1", slot: str = DAY) -> None:
    cells = ["mailed"] * mailed + ["holdout"] * held_out
    world.mail(run_id, slot, [(f"p{nr}", f"h{nr}", cell, None) for nr, cell in enumerate(cells)])


def test_too_small_a_control_group_gives_no_number() -> None:
    for mailed, held_out, verdict in ((500, 99, "too_small"), (500, 100, "measured"), (500, 0, "no_holdout")):
        world = ResultsWorld()
        groups(world, mailed=mailed, held_out=held_out)
        world.respond(*((f"p{nr}", "2027-03-09", 10) for nr in range(0, mailed + held_out, 5)))
        found = world.results()["mailed"]
        assert found["verdict"] == verdict
        assert (
            (found["lift"] is None)
            == (found["lift_low"] is None)
            == (found["incremental_revenue"] is None)
            == (verdict != "measured")
        )
        assert found["responders"] == 100, "counted in any case"
    few = ResultsWorld()
    groups(few, mailed=5_000, held_out=1_000)
    few.respond(*((f"p{nr}", "2027-03-09", 10) for nr in range(20)))
    assert few.results()["mailed"]["verdict"] == "too_small", "3.3 expected responders in the control group"


def test_members_of_a_household_are_one_unit_unless_persons_are_drawn() -> None:
    world = ResultsWorld(dmail_households="household_members")
    world.mail("spring-1", DAY, [("a", "h1", "mailed", None), ("b", "h1", "mailed", None), ("c", "h2", "holdout", None)])
    world.connection.execute("insert into household_members values ('a', 'h1'), ('d', 'h2'), ('e', 'h3')")
    world.respond(
        ("a", "2027-03-09", 1), ("b", "2027-03-10", 2), ("d", "2027-03-09", 4), ("e", "2027-03-09", 8), (None, "2027-03-09", 16)
    )
    found = world.results()
    assert [found[cell]["units"] for cell in ("mailed", "holdout")] == [1, 1]
    assert [found[cell]["responders"] for cell in ("mailed", "holdout")] == [1, 1], "the other member of h2 was not in the file"
    assert found["mailed"]["responses"] == 2
    assert found["mailed"]["unit"] == "household"
    world.mail("spring-1", DAY, [("f", "h4", "mailed", None), ("g", "h4", "holdout", None)])
    found = world.results()
    assert found["mailed"]["unit"] == "person"
    assert [found[cell]["units"] for cell in ("mailed", "holdout")] == [3, 2]
    assert [found[cell]["responders"] for cell in ("mailed", "holdout")] == [2, 0]


def test_everybody_counts_in_the_cell_of_their_first_contact() -> None:
    world = ResultsWorld(dmail_response_days=30)
    world.mail("spring-1", DAY, [("a", "h1", "mailed", "A"), ("b", "h2", "holdout", None)])
    world.mail(
        "spring-2", "2027-03-08 10:00:00", [("a", "h1", "mailed", "B"), ("b", "h2", "holdout", None), ("c", "h3", "mailed", "B")]
    )
    world.mail("spring-3", "2027-05-08 10:00:00", [("a", "h1", "mailed", "A")])
    world.respond(
        ("a", "2027-03-01 09:59", 1), ("a", "2027-03-01 10:00", 2), ("b", "2027-03-31 09:59", 4), ("c", "2027-04-01", 8)
    )
    world.respond(("a", "2027-03-31 10:00", 16))
    found = world.results()
    assert {cell: row["units"] for cell, row in found.items()} == {"A": 1, "B": 1, "mailed": 2, "holdout": 1}
    assert {cell: row["pieces"] for cell, row in found.items()} == {"A": 2, "B": 1, "mailed": 3, "holdout": 0}
    assert {cell: row["revenue"] for cell, row in found.items()} == {"A": 2, "B": 8, "mailed": 10, "holdout": 4}
    days = world.rows("select treatment, day_number, new_responders from rpt_response_days order by all")
    assert [tuple(row.values()) for row in days] == [("A", 0, 1), ("B", 24, 1), (None, 0, 1), (None, 24, 1), (None, 30, 1)]
    again = ResultsWorld(dmail_results_since={"spring": "2027-03-08"})
    again.mail("spring-1", DAY, [("a", "h1", "mailed", "A")])
    again.mail("spring-2", "2027-03-08 10:00:00", [("a", "h1", "mailed", "B")])
    assert set(again.results()) == {"B", "mailed"}, "from a declared day, everybody enters again"
    with pytest.raises(CompileError, match="spring has `March`; it accepts a day such as 2027-03-01"):
        ResultsWorld(dmail_results_since={"spring": "March"})


def test_the_window_of_both_groups_begins_with_the_first_delivery() -> None:
    world = ResultsWorld()
    world.mail("spring-1", DAY, [("a", "h1", "mailed", None), ("b", "h2", "holdout", None)])
    world.respond(("a", "2027-03-03", 1), ("b", "2027-03-03", 1), ("a", "2027-03-05", 2), ("b", "2027-03-05", 2))

    def responses() -> list[int]:
        return [world.results()[cell]["responses"] for cell in ("mailed", "holdout")]

    assert responses() == [2, 2]
    world.connection.execute("insert into rpt_parts values ('spring-1', 'in/spring.csv')")
    world.connection.execute("insert into stg_acknowledgements values (null, 'spring.csv', null, 'mailed', '2027-03-04')")
    assert responses() == [1, 1], "as the mail house reports"
    world.connection.execute("update stg_contact_history set piece_id = 'P' where cell = 'mailed'")
    world.connection.execute(
        "insert into stg_delivery_status values ('p', 'delivered', '2027-03-06'), ('p', 'delivered', '2027-02-01')"
    )
    assert responses() == [0, 0], "as the post reports"


def test_a_recalled_file_counts_for_neither_group() -> None:
    world = ResultsWorld()
    world.mail("spring-1", "2027-02-01", [("a", "h1", "recalled", None), ("b", "h2", "recalled_holdout", None)])
    world.mail("spring-2", DAY, [("a", "h1", "mailed", None), ("b", "h2", "holdout", None)])
    world.respond(("a", "2027-03-20", 1), ("b", "2027-03-20", 1))
    found = world.results()
    assert {cell: found[cell]["units"] for cell in ("mailed", "holdout")} == {"mailed": 1, "holdout": 1}
    (entered,) = {str(row["in_home_at"])[:10] for row in world.rows("select in_home_at from int_measured_units")}
    assert entered == DAY[:10], "both enter with the file that was mailed"


def test_costs_are_those_of_the_invoice_or_of_the_tariff() -> None:
    world = ResultsWorld()
    groups(world, mailed=1_000, held_out=500)
    world.respond(*((f"p{nr}", "2027-03-09", 10) for nr in [*range(300), *range(1_000, 1_050)]))
    assert world.results()["mailed"]["cost"] is None
    world.connection.execute("insert into rpt_runs values ('spring-1', 600, 'EUR')")
    found = world.results()["mailed"]
    assert (found["cost"], found["cost_currency"]) == (pytest.approx(600), "EUR")
    assert found["incremental_responders"] == pytest.approx(200)
    assert found["cost_per_incremental_responder"] == pytest.approx(3)
    assert found["return_on_spend"] == pytest.approx(2_000 / 600)
    world.connection.execute("insert into stg_invoices values ('spring-1', null, 500, 'EUR'), ('spring-1', null, 500, 'EUR')")
    assert world.results()["mailed"]["cost"] == pytest.approx(1_000)
    world.connection.execute("insert into stg_invoices values ('spring-1', null, 500, 'USD')")
    assert world.results()["mailed"]["cost"] == pytest.approx(600), "amounts of several currencies are not added"
    world.connection.execute("update stg_responses set currency = 'USD' where profile_id = 'p1'")
    found = world.results()["mailed"]
    assert (found["revenue"], found["incremental_revenue"], found["return_on_spend"]) == (None, None, None)
    assert found["cost_per_incremental_responder"] == pytest.approx(3)
    world.connection.execute("delete from stg_responses where substr(profile_id, 2)::integer between 100 and 999")
    assert world.results()["mailed"]["cost_per_incremental_responder"] is None, "no effect is proven"
