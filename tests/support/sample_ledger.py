"""A ledger with half a year of made-up runs of the sample campaigns, some of which wait for a person."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from dmail_runner.check.regions import MIN_PIECES
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Churn, Comparison, Limit, Part, Receipt, RegionCount, Verdicts
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run, run_name
from dmail_runner.plan.slots import slots_after
from dmail_runner.project.manifest import Manifest

NOW = datetime(2026, 11, 27, 14, tzinfo=UTC)
SINCE = timedelta(weeks=26)
DEFINITION = "3f9ad2c4" * 8
USUAL: Mapping[str, tuple[int, Mapping[str, float]]] = {
    "spring_catalog": (76_000, {"consent": 0.047, "holdout": 0.047, "incomplete_address": 0.015, "duplicate": 0.013, "suppressed": 0.008}),
    "loyalty_offer": (14_100, {"consent": 0.06, "frequency_cap": 0.02, "suppressed": 0.011, "contract:Offer Code:pattern": 0.0008}),
    "renewal_notice": (8_400, {"incomplete_address": 0.02}),
    "welcome_letter": (420, {"consent": 0.05, "incomplete_address": 0.018, "already_mailed": 0.01}),
}  # fmt: skip
STATES = {"CA": 11.9, "TX": 8.8, "FL": 6.5, "NY": 5.9, "PA": 3.9, "IL": 3.8, "OH": 3.5, "GA": 3.2, "NC": 3.1, "MI": 3, "NJ": 2.7, "VA": 2.6, "WA": 2.3, "AZ": 2.1, "MA": 2.1, "TN": 2, "IN": 2, "MD": 1.8, "MO": 1.8, "WI": 1.7, "CO": 1.7, "MN": 1.7, "SC": 1.5, "AL": 1.5, "LA": 1.4, "KY": 1.3, "OR": 1.2, "OK": 1.2, "CT": 1.1, "UT": 1, "NV": 0.9, "IA": 0.9, "AR": 0.9, "KS": 0.9, "MS": 0.9, "NM": 0.6, "ID": 0.5, "NE": 0.6, "WV": 0.5, "HI": 0.4, "NH": 0.4, "ME": 0.4, "MT": 0.3, "RI": 0.3, "DE": 0.3, "SD": 0.3, "ND": 0.2, "AK": 0.2, "VT": 0.2, "WY": 0.2}  # fmt: skip
COUNTRIES = {"US": 70.0, "FR": 9.8, "DE": 8.1, "GB": 6.2, "BR": 5.9}
FILES = {"loyalty_offer": "loyalty/offers_{}.txt", "renewal_notice": "renewals_{}.txt"}
TARIFF = {"spring_catalog": 0.61, "loyalty_offer": 0.52, "welcome_letter": 0.61}


@dataclass
class Clock:
    """The time of the ledger, which moves by a few seconds with each step."""

    at: datetime

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=7)
        return self.at


def fill(settings: Settings, manifest: Manifest) -> Ledger:
    """Write the runs. The newest of three campaigns are held, waiting for an approval, and failed. One mailing is in waves."""
    clock = Clock(NOW - SINCE)
    ledger = Ledger(settings, clock)
    slots = [(slot, name) for name in manifest.names for slot in due(manifest, name)]
    newest = {name: slot for slot, name in sorted(slots)}
    for slot, name in sorted(slots):
        clock.at = max(clock.at, slot)
        run = ledger.open(Planned(run_name(name, slot), name, slot))
        if slot != newest[name] or name == "welcome_letter":
            deliver(ledger, run, freeze(ledger, run))
        elif name == "spring_catalog":
            hold_volume(ledger, run)
        elif name == "loyalty_offer":
            freeze(ledger, run)
            ledger.fail(ledger.known(run.run_id), "outbox: Connection refused after 4 attempts: sftp.offerworks.example:22")
        else:
            ledger.hold(
                run,
                "approval",
                f"{name} waits for an approval of {DEFINITION[:12]}, and was changed since Ann approved it on 2026-09-28: nothing was built or delivered",
            )
    mail_in_waves(ledger, clock)
    clock.at = NOW
    return ledger


def mail_in_waves(ledger: Ledger, clock: Clock) -> None:
    """A mailing of the daily letter in three waves: one is delivered, and two wait."""
    name, slot = "welcome_letter", NOW.replace(hour=13)
    first = f"{run_name(name, slot)}"
    for wave, days in ((1, 0), (2, 2), (3, 5)):
        run_id = first if wave == 1 else f"{first}-w{wave}"
        ledger.open(Planned(run_id, name, slot + timedelta(days=days), wave=wave, first=first))
    clock.at = slot
    run = ledger.known(first)
    deliver(ledger, run, freeze(ledger, run))


def due(manifest: Manifest, name: str) -> Iterator[datetime]:
    """The slots of a campaign until now: those of half a year, and for the daily letter those of a month."""
    schedule = manifest.campaign(name).mail.schedule
    assert schedule
    since = timedelta(weeks=4) if name == "welcome_letter" else SINCE
    return (slot.at for slot in takewhile(lambda slot: slot.at <= NOW, slots_after(schedule, NOW - since)))


def figures(campaign: str, slot: datetime, factor: float = 1) -> Verdicts:
    """Figures that differ a little from slot to slot, and are the same each time."""
    targeted, shares = USUAL[campaign]
    noise = int(hashlib.sha256(f"{campaign}{slot}".encode()).hexdigest()[:4], 16) / 0xFFFF - 0.5
    count = round(targeted * (1 + 0.12 * noise) * factor)
    excluded = {reason: round(count * share * (1 + noise / 4)) for reason, share in shares.items()}
    return Verdicts(count, count - sum(excluded.values()), excluded, 3)


def regions(campaign: str, pieces: int) -> tuple[RegionCount, ...]:
    """Where the pieces go. Countries and states have very different numbers."""
    if campaign == "renewal_notice":
        shares = {("DE", ""): 55.0, ("FR", ""): 21.0, ("AT", ""): 14.0, ("CH", ""): 10.0}
    else:
        whole = sum(STATES.values())
        home = 100.0 if campaign == "loyalty_offer" else COUNTRIES["US"]
        abroad = {(country, ""): share for country, share in COUNTRIES.items() if country != "US" and home < 100}
        shares = abroad | {("US", state): home * share / whole for state, share in STATES.items()}
    counts = {place: round(pieces * share / 100) for place, share in shares.items()}
    counts[max(counts, key=counts.__getitem__)] += pieces - sum(counts.values())
    merged: Counter[tuple[str, str]] = Counter()
    for (country, region), count in counts.items():
        merged[country, region if count >= MIN_PIECES else ""] += count
    return tuple(RegionCount(*place, count) for place, count in merged.most_common())


def freeze(ledger: Ledger, run: Run) -> Part:
    found = figures(run.campaign, run.slot)
    last = ledger.last_settled(run.campaign, run.slot, None)
    churn = Churn(last.run_id, round(found.included * 0.07), round(found.included * 0.06)) if last else None
    rows = found.included + found.seeds
    digest = hashlib.sha256(run.run_id.encode()).hexdigest()
    name = FILES.get(run.campaign, f"inbound/{run.campaign}_{{}}.csv").format(f"{run.slot:%Y%m%dT%H%M%SZ}")
    part = Part(1, name, rows, rows * 102, digest, "outbox")
    ledger.advance(run, "built")
    cost = f"{25 + rows * TARIFF[run.campaign]:,.2f} USD" if run.campaign in TARIFF else None
    places = regions(run.campaign, found.included)
    verdicts = Verdicts(found.targeted, found.included, found.excluded, found.seeds, places, churn=churn)
    ledger.freeze(run, verdicts, [part], cost)
    return part


def deliver(ledger: Ledger, run: Run, part: Part) -> None:
    ledger.intend(run, part, Entry(Word.PUBLISHING_ONE, f"{part.name}.part", part.sha256))
    ledger.deliver(run, part, Receipt(f"sftp://dmail@sftp.acme.example/{part.name}", part.bytes, part.sha256, adopted=False))
    for state in ("shipped", "settled"):
        ledger.advance(run, state)


def hold_volume(ledger: Ledger, run: Run) -> None:
    """A third of the people have opted out."""
    last = ledger.last_settled(run.campaign, run.slot, None)
    assert last
    assert last.verdicts
    usual = figures(run.campaign, run.slot)
    gone = round(usual.targeted * 0.31)
    excluded = {**usual.excluded, "consent": usual.excluded["consent"] + gone}
    included = usual.included - gone
    churn = Churn(last.run_id, round(included * 0.05), last.verdicts.included - round(included * 0.95))
    bound = round(last.verdicts.included * 0.7)
    change = included / last.verdicts.included - 1
    ledger.advance(run, "built")
    ledger.hold(
        run,
        "volume",
        f"{run.campaign}: {included:,} pieces after {last.verdicts.included:,} in the last run: {change:+.1%}, more than max_change, 30%: nothing was delivered",
        Comparison(
            Verdicts(usual.targeted, included, excluded, 3, churn=churn),
            last.run_id,
            last.verdicts,
            (Limit("max_change", "included", bound),),
        ),
    )
