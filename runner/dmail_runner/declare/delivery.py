"""The keys of routes that say how files are delivered."""

import re
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.encryption import Encryption
from dmail_runner.declare.policy import Duty


def check_temporary(value: str) -> str:
    """Validate the form of temporary names."""
    path = value.replace("{name}", "name", 1)
    if value.count("{name}") != 1 or "{name}" not in value.rpartition("/")[2]:
        raise ValueError("must hold `{name}` once, in its last part, such as {name}.part, .{name} or tmp/{name}")
    if any(part in ("", ".", "..") for part in path.split("/")) or re.search(r"[\x00-\x1f\x7f\\{}]", path):
        raise ValueError("must be a relative path with forward slashes, and no `..` in it")
    return value


Finish = Literal["rename", "direct", "direct_then_marker"]
Verify = Literal["auto", "size", "hash", "trust"]
Taken = Literal["at_close", "at_rename"]


class Way(NamedTuple):
    """How a file gets its final name, and what proves it. The keys of FileDelivery explain the values."""

    finish: Finish = "rename"
    temporary: str = "{name}.part"
    verify: Verify = "auto"
    taken: Taken | None = None


class Delivery(Strict):
    """The keys of every route."""

    status: Literal["draft", "active"] = "active"
    """`active`, or `draft` for a route that must not deliver anything yet."""
    require_approval: Duty | None = None
    """The approval that every campaign on this route needs, as in profiles/policy.yml."""
    encryption: Encryption | None = None
    """The OpenPGP keys that files are encrypted to. Without it, files are not encrypted."""
    retries: Annotated[int, Field(ge=0, le=20)] = 4
    """The number of retries after a lost connection or a missing answer."""


class FileDelivery(Delivery):
    """The keys of routes to servers and folders, where a file can be seen before it is complete."""

    finish: Finish = "rename"
    """`rename`: a file is uploaded under a temporary name, verified, and renamed. `direct`: it is uploaded under its final name.
    `direct_then_marker`: the same, and the side file `done` tells the provider that it is complete."""
    temporary: Annotated[str, AfterValidator(check_temporary)] = "{name}.part"
    """The form of temporary names: `{name}.part`, `.{name}`, `tmp/{name}` or `{name}`. The name always has a random piece."""
    verify: Verify = "auto"
    """How an uploaded file is verified. `size`: by its size. `hash`: by reading it back. `auto`: by its size, and up to 16 MB by
    reading it back. `trust`: by the server's OK to each request alone."""
    taken: Taken | None = None
    """When the provider fetches files: as soon as they are closed (`at_close`) or renamed (`at_rename`). A file that has vanished
    then counts as delivered."""

    @property
    def way(self) -> Way:
        return Way(self.finish, self.temporary, self.verify, self.taken)

    @model_validator(mode="before")
    @classmethod
    def check_hidden(cls, given: object) -> object:
        if isinstance(given, dict) and "hidden" in given:
            raise ValueError('`hidden` was removed: use `temporary: ".{name}.part"`')
        return given

    @model_validator(mode="after")
    def check_ways(self) -> Self:
        needed = {"at_close": "direct", "at_rename": "rename"}
        if self.taken and self.finish != needed[self.taken]:
            raise ValueError(f"`taken: {self.taken}` needs `finish: {needed[self.taken]}`")
        if self.finish != "rename" and "temporary" in self.model_fields_set:
            raise ValueError(f"has a `temporary` name, which `finish: {self.finish}` does not use")
        return self
