"""What was tried of a route: proofs that it has delivered, and probes that went through."""

import sqlalchemy as sa

from dmail_runner.core.values import Part, Receipt
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import parts, proofs, route_tests


def note_proof(ledger: Ledger, campaign: str, part: Part, receipt: Receipt, by: str) -> None:
    """A proof's file was delivered."""
    values = {"name": part.name, "rows": part.rows, "sha256": part.sha256, "route": part.route, "location": receipt.location}
    with ledger.writing() as connection:
        connection.execute(proofs.insert().values(campaign=campaign, at=ledger.stamp(), by=by, **values))


def note_route_test(ledger: Ledger, route: str) -> None:
    """A probe went through."""
    with ledger.writing() as connection:
        connection.execute(route_tests.insert().values(route=route, at=ledger.stamp()))


def tried_routes(ledger: Ledger) -> set[str]:
    """The routes by which a file was ever delivered, be it a proof's."""
    delivered = sa.select(parts.c.route).where(parts.c.delivered_at.is_not(None))
    looks = (delivered, sa.select(proofs.c.route), sa.select(route_tests.c.route))
    with ledger.reading() as connection:
        return {row.route for look in looks for row in connection.execute(look.distinct())}
