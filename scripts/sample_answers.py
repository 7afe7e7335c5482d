"""Makes up what a mail house and a shop send back for the files of the demo, so that its report has results."""

import sys
from pathlib import Path

import duckdb

from dmail_runner.project.warehouse import literal

CAMPAIGN = "spring_catalog"
# Two percent of the control group order, and 1.5 points more of the people with a letter, who also order sooner.
RATE, LIFT, DAYS = 0.02, 0.015, 60

# The draws depend on the run and the person only, so that a second call makes the same files.
CONTACTS = """
    create temp table contacts as
    select
        profile_id, cell, slot + interval 1 day as mailed_at,
        md5_number_lower('order' || run_id || profile_id) / 2.0 ** 64 as draw,
        md5_number_lower('day' || run_id || profile_id) / 2.0 ** 64 as day,
        md5_number_lower('amount' || run_id || profile_id) / 2.0 ** 64 as amount
    from read_parquet({contacts})
    where cell in ('mailed', 'holdout')
"""
ACKNOWLEDGEMENTS = """
    select {name} as file_name, unnest(['received', 'mailed']) as status, {pieces} as pieces, min(mailed_at)::date as happened_at
    from contacts
"""
INVOICE = """
    select
        'made-up-' || {run} as invoice_id, {name} as file_name, {pieces} as pieces, 0.28 * {pieces} as production,
        0.35 * {pieces} as postage, 0.63 * {pieces} as amount, 'USD' as currency, min(mailed_at)::date as happened_at
    from contacts
"""
ORDERS = """
    select
        'made-up-' || {run} || '-' || row_number() over (order by profile_id) as response_id, profile_id,
        null as piece_id, null as key_code, (45 + 260 * amount * amount)::decimal(18, 2) as amount, 'USD' as currency,
        date_trunc('second', mailed_at + to_seconds({days} * 86400 * power(day, if(cell = 'mailed', 2, 1.1)))) as happened_at
    from contacts
    where draw < {rate} + if(cell = 'mailed', {lift}, 0)
    order by profile_id
"""
QUERIES = {"acknowledgement": ACKNOWLEDGEMENTS, "invoice": INVOICE, "orders": ORDERS}


def main(folder: Path) -> None:
    """Answer each file of the campaign that is in the outbox, and say that the answers are made up."""
    for file in sorted((folder / "outbox/inbound").glob(f"{CAMPAIGN}_*.csv")):
        run_id = f"{CAMPAIGN}-{file.stem.removeprefix(f'{CAMPAIGN}_')}"
        contacts = folder / ".dmail/contact_history" / run_id / "contacts.parquet"
        if contacts.is_file():
            answer(file, contacts, run_id, folder / "outbox/answers")
    made = f"an acknowledgement, an invoice, and orders as if {DAYS} days had passed"
    sys.stdout.write(f"made up  outbox/answers: {made}. Nobody has ordered anything.\n")


def answer(file: Path, contacts: Path, run_id: str, answers: Path) -> None:
    """Write an acknowledgement, an invoice and orders for a file. Answers that exist are left."""
    answers.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(CONTACTS.format(contacts=literal(str(contacts))))
        pieces = connection.execute("select count(*) from read_csv(?, all_varchar = true)", [str(file)]).fetchall()[0][0]
        filled = {"name": literal(f"inbound/{file.name}"), "run": literal(run_id), "pieces": pieces}
        for kind, template in QUERIES.items():
            path = answers / f"made_up_{kind}_{file.name}"
            if not path.exists():
                temporary = path.with_name(f".{path.name}.part")
                query = template.format(**filled, days=DAYS, rate=RATE, lift=LIFT)
                connection.execute(f"copy ({query}) to {literal(str(temporary))} (format csv, header true)")
                temporary.replace(path)


if __name__ == "__main__":
    main(Path.cwd())
