"""What a server's answer, or its silence, says about a request."""

import random

from dmail_runner.core.errors import DeliveryError

LONGEST = 30.0  # seconds between two tries, at least; at most twice that
JITTER = random.SystemRandom()


class Refused(DeliveryError):
    """The server answered no. That alone does not prove that nothing happened: look."""


class Blind(Refused):
    """The server does not show what is at a name: this account may only write."""


class Gone(Refused):
    """There is no file of that name."""


class Unsynced(Refused):
    """The file is there, and the disk may lose it: what can be read may be in the memory alone."""


class Taken(Refused):
    """There is a file of that name already. It was not touched."""


class Lost(DeliveryError):
    """No answer, or none that can be relied on. The fault may pass: it is worth another try."""


class Unheard(Lost):
    """Lost before the server could act on the request that counts, so that it can be made again."""


class Spoiled(DeliveryError):
    """What has arrived is not what was sent."""


def pause(tries: int, first: float = 1.0) -> float:
    """Seconds to wait before another try: twice as long each time, and not the same for everybody who waits."""
    return min(LONGEST, first * 2.0 ** (tries - 1)) * (1 + JITTER.random())
