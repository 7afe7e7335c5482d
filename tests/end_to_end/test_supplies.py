"""Money and materials, from the YAML files to the pages: what holds a run, what is received, and what people read."""

import json
from decimal import Decimal

import pytest
import yaml

from project import DONE, FILE, HELD, SLOT, WRONG, Project
from reports import Tables

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
MAIL = """materials:
            - item: envelope_c5
            - {by: country_code, items: {US: leaflet_us, FR: leaflet_fr, DE: leaflet_de, GB: leaflet_gb, BR: null}}
          programme: spring
          provider: acme_print"""
TARIFF = """label: Acme Print
  tariff:
    currency: USD
    production: {fixed: 25, per_piece: 0.2}
    postage: {rates: [{countries: [US], per_piece: 0.415}, {per_piece: 1.65}]}"""
HEAD = "item,on_hand,alert_level,valid_until,lead_time_days,as_of\n"
LEAFLETS = "".join(f"leaflet_{country},90000,5000,2027-06-30,5,2026-11-01\n" for country in ("us", "fr", "de", "gb"))


@pytest.fixture
def supplied(project: Project) -> Project:
    """The campaign spring_catalog, with a budget that is too small and too few envelopes."""
    project.edit(EXPOSURE, "provider: acme_print", MAIL)
    project.edit("profiles/providers.yml", "label: Acme Print", TARIFF)
    (project.path / "profiles/programmes.yml").write_text("spring: {order: PO-4711, max: 50 USD, cost_centre: '4200'}\n")
    entries = {
        kind: {"route": "outbox", "files": f"answers/{kind}*.csv", "layout": f"generic_{kind}"} for kind in ("stock", "invoice")
    }
    (project.path / "profiles/inbound.yml").write_text(yaml.safe_dump(entries))
    receive(project, "stock_1", f"{HEAD}envelope_c5,7,20000,,10,2026-11-01\n{LEAFLETS}")
    return project


def receive(project: Project, name: str, content: str) -> None:
    """The mail house puts a file down, and it is fetched."""
    folder = project.path / "outbox/answers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text(content)
    done = project.call("fetch")
    assert done.returncode == DONE, done.stderr


def test_money_and_materials_hold_a_run_until_people_have_decided(supplied: Project) -> None:
    held = supplied.run()
    assert held.returncode == HELD, held.stderr
    assert "and the order PO-4711 has cost 0.00 USD in 0 other runs: " in held.stderr
    (run,) = supplied.status()
    assert (run["state"], run["hold"], supplied.delivered) == ("held", "budget", ["answers/stock_1.csv"])
    pieces = run["held_figures"]["built"]["included"] + run["held_figures"]["built"]["seeds"]
    released = supplied.call("release", run["run_id"], "--reason", "the board has agreed")
    assert released.returncode == HELD, released.stderr
    assert f"the run needs {pieces:,} of envelope_c5, and 7 were counted on 2026-11-01" in released.stderr
    receive(supplied, "stock_2", f"{HEAD}envelope_c5,{pieces + 9},20000,,10,2026-11-02\n{LEAFLETS}")
    done = supplied.call("release", run["run_id"], "--reason", "they have come")
    assert done.returncode == DONE, done.stderr
    (run,) = supplied.status()
    assert run["state"] == "settled"
    needs = {need["item"]: need["pieces"] for need in run["materials"]}
    assert needs["envelope_c5"] == pieces == run["parts"][0]["rows"]
    estimate = run["estimate"]
    production = (25 + pieces * Decimal("0.2")).quantize(Decimal("0.01"))
    at_home, abroad = needs["leaflet_us"], pieces - needs["leaflet_us"]
    assert Decimal(estimate["production"]) == production
    # A seed counts for the leaflet of its own country.
    assert abs(Decimal(estimate["postage"]) - at_home * Decimal("0.415") - abroad * Decimal("1.65")) <= Decimal("0.01")
    assert (estimate["order"], estimate["cost_centre"]) == ("PO-4711", "4200")
    assert run["cost"] == f"{Decimal(estimate['total']):,.2f} USD"
    read(supplied, run["run_id"], estimate["total"])


def read(project: Project, run_id: str, total: str) -> None:
    """What people read afterwards: the stock, the costs with an invoice, the figures for other tools."""
    receive(
        project,
        "invoice_1",
        f"invoice_id,file_name,pieces,production,postage,amount,currency,happened_at\nI-1,{FILE},,,,77.70,USD,2026-11-05\n",
    )
    (envelope, *_) = json.loads(project.call("stock", "--json").stdout)
    assert (envelope["item"], envelope["left"], envelope["urgent"]) == ("envelope_c5", 9, True)
    shown = project.call("stock")
    assert shown.returncode == DONE, shown.stderr
    assert "order now: fewer than 20,000 of envelope_c5 are left, and too little for spring_catalog on " in shown.stdout
    written = project.call("report")
    assert written.returncode == DONE, written.stderr
    costs, stock = (Tables(project.path / "site" / name) for name in ("costs.html", "stock.html"))
    assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in costs.find("PO-4711")[2:6]] == [
        "50.00 USD", "77.70 USD", "-27.70 USD", f"{total} USD",
    ]  # fmt: skip
    assert costs.find(run_id)[3].startswith(total)
    assert stock.find("envelope_c5")[2] == "9"


def test_what_cannot_be_right_is_an_error_of_check(supplied: Project) -> None:
    supplied.edit("profiles/programmes.yml", "50 USD", "50 EUR")
    other = "models/campaigns/loyalty_offer/_loyalty_offer__exposures.yml"
    supplied.edit(other, "provider:", "budget: {order: PO-4711, max: 1 EUR}\n          provider:")
    done = supplied.call("check")
    assert done.returncode == WRONG
    for fault in (
        "profiles/programmes.yml: spring.max: is in EUR, and the tariff of acme_print is in USD; allowed: an amount in USD",
        "profiles/providers.yml: offerworks.tariff: is required: loyalty_offer has a budget",
        "loyalty_offer.config.meta.direct_mail.budget.order: is also the order of the programme spring",
    ):
        assert fault in done.stderr, fault
    assert supplied.call("run", "spring_catalog", "--slot", SLOT).returncode == WRONG
