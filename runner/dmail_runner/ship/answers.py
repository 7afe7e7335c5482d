"""The errors of a delivery: what a server's answer, or a missing answer, says about a request."""

import random

from dmail_runner.core.errors import DeliveryError

LONGEST = 30.0  # seconds: later tries are this far apart, or up to twice as far
JITTER = random.SystemRandom()


class Refused(DeliveryError):
    """Raised if the server refused a request. A refusal alone does not prove that nothing happened: check the server."""


class Blind(Refused):
    """Raised if the server does not show whether a file has a name, because the account may only write."""


class Gone(Refused):
    """Raised if no file has the name."""


class Unsynced(Refused):
    """The file is there, and the disk may lose it: what can be read may be in the memory alone."""


class Taken(Refused):
    """Raised if a file has the name already. That file is unchanged."""


class Lost(DeliveryError):
    """Raised if there was no answer, or no reliable one. Another try may succeed."""


class Unheard(Lost):
    """Raised if the connection was lost before the server could act on the request. The request can safely be repeated."""


class Spoiled(DeliveryError):
    """Raised if the uploaded file differs from the file that was sent."""


def pause(tries: int, first: float = 1.0) -> float:
    """Seconds to wait before another try. The time doubles with each try, and is random, so that clients do not retry in step."""
    return min(LONGEST, first * 2.0 ** (tries - 1)) * (1 + JITTER.random())
