"""The countries that a campaign has mailed to."""

import sqlalchemy as sa

from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import places, runs


def last_countries(ledger: Ledger, campaign: str) -> set[str]:
    """The countries of a campaign's last run whose pieces were counted by country; those with few pieces are left out."""
    own = sa.select(places.c.run_id).join(runs, runs.c.run_id == places.c.run_id).where(runs.c.campaign == campaign)
    last = own.order_by(runs.c.slot.desc(), runs.c.created_at.desc(), runs.c.run_id.desc()).limit(1)
    query = sa.select(places.c.country).where(places.c.run_id == last.scalar_subquery(), places.c.country != "").distinct()
    with ledger.reading() as connection:
        return set(connection.execute(query).scalars())
