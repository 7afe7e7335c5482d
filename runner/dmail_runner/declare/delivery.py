"""The options that every type of route has."""

from typing import Annotated, Literal

from pydantic import Field

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.encryption import Encryption


class Delivery(Strict):
    """What every route has."""

    status: Literal["draft", "active"] = "active"
    """By a `draft` nothing is delivered."""
    encryption: Encryption | None = None
    """Whom files are sealed to, by OpenPGP; plain without it."""
    finish: Literal["rename", "direct_then_marker"] = "rename"
    """A whole temporary file gets its name, or, where the server forbids that, a marker tells that a file is whole."""
    hidden: bool = False
    """A temporary name begins with a dot."""
    verify: Literal["auto", "size", "hash"] = "auto"
    """What has arrived is compared by size, or by reading it back; `auto` reads back up to 16 MB."""
    retries: Annotated[int, Field(ge=0, le=20)] = 4
    """How often what may pass (a lost connection, no answer) is tried again."""
