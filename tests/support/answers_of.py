"""Files of every kind that a mail house and a shop send back about a delivered campaign, with the errors of real ones."""

import runpy
from contextlib import chdir

import duckdb
import yaml

from project import DONE, ROOT, Project

LAYOUTS = ("returns", "delivery_status", "address_updates", "stock")
PIECES = """
    create table pieces as
    select profile_id, piece_id, key_code, slot, (md5_number_lower(profile_id) % 10)::int as draw
    from read_parquet('.dmail/contact_history/*/contacts.parquet')
    where campaign = 'spring_catalog' and cell = 'mailed' and piece_id is not null
    qualify row_number() over (partition by profile_id order by slot desc) = 1
"""
FILES = {
    # A piece that nobody knows, one that came back twice, and one before it was mailed.
    "returns": """
        select piece_id, (['moved', 'unknown', 'deceased', 'refused'])[1 + draw % 4] as reason, slot::date + 9 as happened_at
        from pieces where draw < 3
        union all select piece_id, 'refused', slot::date - 1 from pieces where draw in (2, 4)
        union all values ('STRANGE', 'moved', date '2026-11-12')
    """,
    "delivery_status": """
        select piece_id, 'delivered' as status, slot + interval (3 + draw % 5) day as happened_at from pieces where draw < 6
        union all select piece_id, 'in_transit', slot + interval 1 day from pieces where draw < 9
        union all select piece_id, 'failed', slot - interval 1 day from pieces where draw = 0
    """,
    "address_updates": """
        select
            profile_id, 'moved' as change, '1 New St' as address_line1, null as address_line2, 'Boston' as city, 'MA' as region,
            '02108' as postal_code, 'US' as country_code, slot::date + 12 as happened_at
        from pieces where draw in (7, 8)
    """,
    "stock": """
        select 'envelope' as item, 5000 as on_hand, 1000 as alert_level, '2027-12-31' as valid_until, 10 as lead_time_days,
            '2026-11-05' as as_of
    """,
    # Orders that name a piece or a code, and most of them no customer.
    "made_up_orders_by_code": """
        select
            'c' || profile_id as response_id, if(draw = 1, profile_id, null) as profile_id, if(draw % 2 = 0, lower(piece_id), null) as piece_id,
            if(draw % 2 = 1, key_code, null) as key_code, 10.5 as amount, 'USD' as currency, slot + interval 8 day as happened_at
        from pieces where draw between 1 and 3
    """,
}


def receive_answers(project: Project) -> None:
    """Make files of every kind for the delivered files of spring_catalog, receive them, and write the figures."""
    with chdir(project.path):
        runpy.run_path(str(ROOT / "scripts/sample_answers.py"), run_name="__main__")
    with duckdb.connect() as connection:
        connection.execute(f"set file_search_path = '{project.path}'")
        connection.execute(PIECES)
        for name, query in FILES.items():
            connection.execute(f"copy ({query}) to '{project.path}/outbox/answers/{name}.csv' (header true)")
    entries = {kind: {"route": "outbox", "files": f"answers/{kind}.csv", "layout": f"generic_{kind}"} for kind in LAYOUTS}
    with (project.path / "profiles/inbound.yml").open("a") as file:
        file.write(yaml.safe_dump(entries))
    fetched = project.call("fetch")
    assert fetched.returncode == DONE, fetched.stdout + fetched.stderr
    assert fetched.stdout.count("taken") == len(FILES) + 3
    assert project.call("report").returncode == DONE
