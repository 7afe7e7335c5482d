"""The options that every type of route has."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.encryption import Encryption


def check_temporary(value: str) -> str:
    """The form of a temporary name."""
    path = value.replace("{name}", "name", 1)
    if value.count("{name}") != 1 or "{name}" not in value.rpartition("/")[2]:
        raise ValueError("must hold `{name}` once, in its last part, such as {name}.part, .{name} or tmp/{name}")
    if any(part in ("", ".", "..") for part in path.split("/")) or re.search(r"[\x00-\x1f\x7f\\{}]", path):
        raise ValueError("must be a relative path with forward slashes, and no `..` in it")
    return value


class Delivery(Strict):
    """What every route has."""

    status: Literal["draft", "active"] = "active"
    """By a `draft` nothing is delivered."""
    encryption: Encryption | None = None
    """Whom files are sealed to, by OpenPGP; plain without it."""
    finish: Literal["rename", "direct", "direct_then_marker"] = "rename"
    """A whole file gets its final name by a rename; or it is written under it, and a marker says that it is whole, or none."""
    temporary: Annotated[str, AfterValidator(check_temporary)] = "{name}.part"
    """The form of temporary names: `{name}.part`, `.{name}`, `tmp/{name}`, `{name}`; a random piece is always in the name."""
    verify: Literal["auto", "size", "hash", "trust"] = "auto"
    """What has arrived is compared by size, or by reading it back; `auto` reads back up to 16 MB; `trust` asks for nothing."""
    taken: Literal["at_close", "at_rename"] | None = None
    """The provider takes each file at once, when it is closed or renamed, so that its vanishing is the receipt."""
    retries: Annotated[int, Field(ge=0, le=20)] = 4
    """How often what may pass (a lost connection, no answer) is tried again."""

    @model_validator(mode="before")
    @classmethod
    def check_hidden(cls, given: object) -> object:
        if isinstance(given, dict) and "hidden" in given:
            raise ValueError('`hidden` is no option any more: `temporary: ".{name}.part"` makes hidden temporary names')
        return given

    @model_validator(mode="after")
    def check_ways(self) -> Self:
        needed = {"at_close": "direct", "at_rename": "rename"}
        if self.taken and self.finish != needed[self.taken]:
            raise ValueError(f"`taken: {self.taken}` needs `finish: {needed[self.taken]}`")
        if self.finish != "rename" and "temporary" in self.model_fields_set:
            raise ValueError(f"has a `temporary` name, which `finish: {self.finish}` does not use")
        return self
