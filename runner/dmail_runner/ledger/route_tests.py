"""The record of tested routes: proofs that were delivered, and tests that succeeded."""

import sqlalchemy as sa

from dmail_runner.core.values import Part, Receipt
from dmail_runner.ledger.contents import written
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import parts, proofs, route_tests


def note_proof(ledger: Ledger, campaign: str, part: Part, receipt: Receipt, by: str) -> None:
    """Record that a file of a proof was delivered."""
    values = {"name": part.name, "rows": part.rows, "sha256": part.sha256, "route": part.route, "location": receipt.location}
    with ledger.writing() as connection:
        row = proofs.insert().values(campaign=campaign, at=ledger.stamp(), by=by, **values).returning(proofs.c.number)
        number: int = connection.execute(row).scalar_one()
        content = written(connection, proofs, proofs.c.number == number)
        ledger.record(connection, campaign, "proof", f"{part.name} {receipt.location} by {by}", content)


def note_route_test(ledger: Ledger, route: str) -> None:
    """Record that a test of a route succeeded."""
    with ledger.writing() as connection:
        row = route_tests.insert().values(route=route, at=ledger.stamp()).returning(route_tests.c.number)
        number: int = connection.execute(row).scalar_one()
        ledger.record(connection, "ledger", "route_test", route, written(connection, route_tests, route_tests.c.number == number))


def tried_routes(ledger: Ledger) -> set[str]:
    """The routes that have ever delivered a file: of a run, of a proof, or of a test."""
    delivered = sa.select(parts.c.route).where(parts.c.delivered_at.is_not(None))
    looks = (delivered, sa.select(proofs.c.route), sa.select(route_tests.c.route))
    with ledger.reading() as connection:
        return {row.route for look in looks for row in connection.execute(look.distinct())}
