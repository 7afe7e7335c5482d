"""Delivers the parts of a run to a route. Each part arrives completely or not at all."""

from dmail_runner.ship.ahead import AheadUploader
from dmail_runner.ship.answers import Gone, Lost, Refused, Spoiled, Taken
from dmail_runner.ship.delivery import deliver, give_up
from dmail_runner.ship.destinations import destination
from dmail_runner.ship.interface import Destination, Seen
from dmail_runner.ship.shipment import DeliveryCallbacks, ship

__all__ = [
    "AheadUploader", "DeliveryCallbacks", "Destination", "Gone", "Lost", "Refused", "Seen", "Spoiled", "Taken",
    "deliver", "destination", "give_up", "ship",
]  # fmt: skip
