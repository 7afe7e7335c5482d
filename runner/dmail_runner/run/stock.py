"""Forecasts the stock from what was built last, and notifies people before a material runs out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa

from dmail_runner.check.stock import Stock, read_stock
from dmail_runner.core.errors import BuildError, ConfigError, DmailError
from dmail_runner.core.materials import in_use
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.database import iso
from dmail_runner.ledger.inbound_files import inbound_of
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.ledger.tables import inbound_files
from dmail_runner.plan.stock import Forecast, coming_needs, text, urgent
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import lock_warehouse, not_built, session
from dmail_runner.run.commitments import uses
from dmail_runner.run.notify import Notice, Notifier


def campaigns_with_materials(manifest: Manifest) -> list[Campaign]:
    """The campaigns that declare materials. Those with errors are left out."""
    found = []
    for name in manifest.names:
        with suppress(ConfigError):
            campaign = manifest.campaign(name)
            found += [campaign] if campaign.materials else []
    return found


def build_stock(settings: Settings, manifest: Manifest, run_dbt: RunDbt, tell: Callable[[str], None]) -> None:
    """Build the model with the role `materials`. Raises DmailError if dbt fails."""
    model = manifest.roles.player("materials")
    with lock_warehouse(settings, "stock", tell):
        selected = ["build", "--exclude-resource-type", "unit_test", "--select", f"+{model.selector}"]
        outcome = run_dbt(settings, selected, settings.work_dir / "stock", {})
        if outcome.exit_code != 0:
            raise BuildError("dbt could not build the stock:\n" + "\n".join(outcome.errors))


def forecasts(settings: Settings, manifest: Manifest, ledger: Ledger) -> list[Forecast]:
    """The forecast of each item, by name; none if no campaign declares materials. Raises DmailError if the stock is not built."""
    campaigns = campaigns_with_materials(manifest)
    if not campaigns:
        return []
    relation = manifest.nodes[manifest.roles.player("materials").id]["relation_name"]
    with session(find_warehouse(settings)) as connection:
        stock = read_stock(connection, relation)
    return forecast(stock, campaigns, ledger, settings)


def read_forecasts(settings: Settings, manifest: Manifest, ledger: Ledger, tell: Callable[[str], None]) -> list[Forecast]:
    """The forecasts of what was built last; none before the first build. If it cannot be read now, `tell` gets the reason."""
    try:
        return forecasts(settings, manifest, ledger)
    except DmailError as error:
        if error.what != not_built().what:
            tell(f"note     the stock cannot be read: {error.what}")
        return []


def forecast(stock: Stock, campaigns: Sequence[Campaign], ledger: Ledger, settings: Settings) -> list[Forecast]:
    """The forecast of each item that campaigns declare or that is in the stock, by name."""
    coming = coming_needs(campaigns, ledger, ledger.now())
    taken = uses(settings, ledger)
    found = []
    for item in sorted({*coming, *stock.counts}):
        count = stock.counts.get(item)
        fault = "" if count else stock.faults.get(item, "is not in the stock")
        found.append(Forecast(item, count, fault, in_use(taken, count) if count else 0, tuple(coming.get(item, ()))))
    return found


def announce_stock(
    settings: Settings, manifest: Manifest, ledger: Ledger, notifier: Notifier, tell: Callable[[str], None]
) -> None:
    """Notify people of items of which more must be ordered now. If the stock cannot be read now, a later call does it."""
    for one in urgent(read_forecasts(settings, manifest, ledger, tell), ledger.now()):
        notifier.announce(notice(one, manifest))


def notice(one: Forecast, manifest: Manifest) -> Notice:
    """The notice of an item. It is sent to the owner of the campaign that needs it."""
    need = one.short or one.low or (one.coming[0] if one.coming else None)
    owner = manifest.campaign(need.campaign).email if need else None
    what = text(one)
    lead = one.count.lead_time_days if one.count else None
    todo = f"order more, which takes {lead:,} days" if lead else "order more"
    return Notice(
        "stock",
        need.campaign if need else one.item,
        f"{what[:1].upper()}{what[1:]}.",
        f"{todo}, or fetch a new count; dmail-runner stock shows all items",
        owner=owner,
    )


def counted_since(ledger: Ledger, run: Run) -> bool:
    """Whether a count of materials was received since a run was held."""
    since = inbound_files.c.at > iso(run.changed) if run.changed else sa.true()
    return bool(inbound_of(ledger, inbound_files.c.kind == "stock", inbound_files.c.state == "taken", since))


def day(moment: datetime | None) -> str:
    """A day for people; a dash for None."""
    return f"{moment:%Y-%m-%d}" if moment else "-"


def stock_rows(found: Sequence[Forecast]) -> Iterator[list[str]]:
    """The forecast as a table, with its head."""
    yield ["item", "counted", "on", "other runs", "left", "alert", "below it on", "too few on", "valid until"]
    for one in found:
        count, low, short = one.count, one.low, one.short
        alert = "-" if count is None or count.alert_level is None else f"{count.alert_level:,}"
        yield [
            one.item,
            f"{count.on_hand:,}" if count else "-",
            day(count.counted if count else None),
            f"{one.used:,}",
            f"{one.left:,}" if count else "-",
            alert,
            "now" if one.is_low else day(low.at if low else None),
            day(short.at if short else None),
            day(count.valid_until if count else None),
        ]


def stock_as_json(one: Forecast, now: datetime) -> dict[str, object]:
    """The forecast of an item, for programs."""
    count = one.count

    def when(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "item": one.item,
        "on_hand": count.on_hand if count else None,
        "counted": when(count.counted if count else None),
        "alert_level": count.alert_level if count else None,
        "lead_time_days": count.lead_time_days if count else None,
        "valid_until": when(count.valid_until if count else None),
        "fault": one.fault or None,
        "other_runs": one.used,
        "left": one.left if count else None,
        "low_at": when(one.low.at if one.low else None),
        "short_at": when(one.short.at if one.short else None),
        "urgent": one.is_urgent(now),
        "coming": [{"at": when(run.at), "campaign": run.campaign, "wave": run.wave, "pieces": run.pieces} for run in one.coming],
    }
