"""Delivery: parts to a route, each whole or not at all."""

from runner.ship.courier import Desk, ship
from runner.ship.delivery import Destination, Intent, Lost, Refused, Spoiled, deliver, temporary_name
from runner.ship.places import destination

__all__ = ["Desk", "Destination", "Intent", "Lost", "Refused", "Spoiled", "deliver", "destination", "ship", "temporary_name"]
