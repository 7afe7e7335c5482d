"""Makes up what the mail house and the shop answer to the last file of spring_catalog, so that `make demo` has results to show.

    python -m scripts.demo_answers

Each person orders by chance: 3% without a letter, and 1.2% more with one. The same file has the same answers.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

STATUS = ["-m", "dmail_runner", "status", "--json", "--campaign", "spring_catalog", "--state", "settled"]
FOLDER = Path("outbox/answers")
BASE, LIFT = 0.03, 0.012
PRODUCTION, POSTAGE = Decimal("0.21"), Decimal("0.38")  # USD a piece
# The longer the letter is there, the fewer people order.
ORDERS = f"""
copy (
    with
        people as (
            select
                *,
                md5_number_lower(concat_ws('/', run_id, profile_id, 'order')) / 2.0 ** 64 as chance,
                md5_number_lower(concat_ws('/', run_id, profile_id, 'hour')) / 2.0 ** 64 as hour,
                md5_number_lower(concat_ws('/', run_id, profile_id, 'amount')) / 2.0 ** 64 as amount
            from read_parquet('.dmail/contact_history/*/contacts.parquet', union_by_name = true)
            where run_id = $run_id
        )
    select
        'made-up-' || profile_id as response_id, profile_id, null as piece_id, null as key_code,
        (40 + 200 * amount * amount)::decimal(18, 2) as amount, 'USD' as currency,
        strftime(slot + to_hours((72 - 240 * ln(1 - 0.99 * hour))::int), '%Y-%m-%d %H:%M:%S') as happened_at
    from people
    where chance < {BASE} + if(cell = 'mailed', {LIFT}, 0)
    order by happened_at, profile_id
) to 'TARGET' (format csv)
"""


def last_run() -> dict[str, Any] | None:
    """The newest settled run that `status` prints; None if there is none."""
    printed = subprocess.run([sys.executable, *STATUS], check=True, capture_output=True, text=True).stdout
    runs: list[dict[str, Any]] = json.loads(printed)["runs"]
    return max(runs, key=lambda run: str(run["slot"]), default=None)


def write(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def reports(run: Mapping[str, Any]) -> list[dict[str, object]]:
    """What the mail house reports: all pieces received after an hour, and mailed after two days."""
    slot = datetime.fromisoformat(run["slot"])
    days = {"received": slot + timedelta(hours=1), "mailed": slot + timedelta(days=2)}
    return [
        {"file_name": part["name"], "status": status, "pieces": part["rows"], "happened_at": f"{at:%Y-%m-%d %H:%M:%S}"}
        for part in run["parts"]
        for status, at in days.items()
    ]


def bills(run: Mapping[str, Any]) -> list[dict[str, object]]:
    """What the mail house bills for the pieces."""
    at = datetime.fromisoformat(run["slot"]) + timedelta(days=3)
    return [
        {
            "invoice_id": "made-up-1",
            "file_name": part["name"],
            "pieces": part["rows"],
            "production": part["rows"] * PRODUCTION,
            "postage": part["rows"] * POSTAGE,
            "amount": part["rows"] * (PRODUCTION + POSTAGE),
            "currency": "USD",
            "happened_at": f"{at:%Y-%m-%d %H:%M:%S}",
        }
        for part in run["parts"]
    ]


def main() -> None:
    """Write the answers, unless they are there."""
    run = last_run()
    if run is None or not run["parts"]:
        return
    orders = FOLDER / f"made_up_orders_{run['run_id']}.csv"
    if orders.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    write(FOLDER / f"made_up_acknowledgement_{run['run_id']}.csv", reports(run))
    write(FOLDER / f"made_up_invoice_{run['run_id']}.csv", bills(run))
    duckdb.execute(ORDERS.replace("TARGET", str(orders)), {"run_id": run["run_id"]})
    sys.stdout.write(f"made up  reports and an invoice of the mail house, and orders, in {FOLDER}\n")


if __name__ == "__main__":
    main()
