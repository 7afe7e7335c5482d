"""Delivery: parts to a route, each whole or not at all."""

from runner.ship.courier import Desk, ship
from runner.ship.delivery import Destination, Intent, Lost, Refused, Spoiled, deliver, temporary_name
from runner.ship.early import Early
from runner.ship.places import destination

__all__ = [
    "Desk",
    "Destination",
    "Early",
    "Intent",
    "Lost",
    "Refused",
    "Spoiled",
    "deliver",
    "destination",
    "ship",
    "temporary_name",
]
