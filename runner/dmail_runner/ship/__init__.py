"""Delivery: parts to a route, each whole or not at all."""

from dmail_runner.ship.ahead import AheadUploader
from dmail_runner.ship.delivery import Destination, Folders, Intent, Lost, Refused, Spoiled, Store, deliver, temporary_name
from dmail_runner.ship.destinations import destination
from dmail_runner.ship.shipment import DeliveryCallbacks, ship

__all__ = [
    "AheadUploader",
    "DeliveryCallbacks",
    "Destination",
    "Folders",
    "Intent",
    "Lost",
    "Refused",
    "Spoiled",
    "Store",
    "deliver",
    "destination",
    "ship",
    "temporary_name",
]  # fmt: skip
