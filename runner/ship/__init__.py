"""Delivery: parts to a route, each whole or not at all."""

from runner.ship.courier import Desk, ship
from runner.ship.delivery import Destination, Folders, Intent, Lost, Refused, Spoiled, Store, deliver, temporary_name
from runner.ship.early import Early
from runner.ship.places import destination

__all__ = [
    "Desk", "Destination", "Early", "Folders", "Intent", "Lost", "Refused", "Spoiled", "Store",
    "deliver", "destination", "ship", "temporary_name",
]  # fmt: skip
