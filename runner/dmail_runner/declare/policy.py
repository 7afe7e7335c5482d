"""The project's policy: who must approve what is mailed, and which SQL may run beside the models (`profiles/policy.yml`)."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict, parse, read_yaml, render

FILE = "profiles/policy.yml"
Duty = Literal["one", "four_eyes", "two"]
# From the weakest to the strongest: two people who have not written it are more than one.
DUTIES: tuple[Duty, ...] = ("one", "four_eyes", "two")


def check_key(value: str) -> str:
    """A public key of OpenSSH, without its comment."""
    words = value.split()
    if len(words) < 2 or not re.fullmatch(r"[a-z0-9@.-]+", words[0]) or not re.fullmatch(r"[A-Za-z0-9+/]{40,}={0,2}", words[1]):
        raise ValueError("must be a line of an OpenSSH public key file, such as `ssh-ed25519 AAAA... ann@laptop`")
    return " ".join(words[:2])


def listed(value: object) -> object:
    """One value may stand without a list."""
    return [value] if isinstance(value, str) else value


ONE_OR_MORE = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Texts = Annotated[tuple[str, ...], BeforeValidator(listed), ONE_OR_MORE]
Keys = Annotated[tuple[Annotated[str, AfterValidator(check_key)], ...], BeforeValidator(listed), ONE_OR_MORE]


class Approver(Strict):
    """A person who may approve."""

    account: Texts = ()
    """The person's accounts on the hosts that run the command, by name."""
    key: Keys = ()
    """The person's SSH public keys: lines of `id_ed25519.pub`."""
    git: Texts = ()
    """The names or e-mail addresses under which the person commits, beside the entry's name and accounts."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if not self.account and not self.key:
            raise ValueError("needs an `account` or a `key`")
        return self


class Policy(Strict):
    """What the project requires of every campaign. Without the file nothing is required."""

    require_approval: Duty | None = None
    """`one`: one approval. `four_eyes`: the approval of a person who has not written what is approved. `two`: of two of them."""
    approvers: Annotated[Mapping[str, Approver], Field(default_factory=dict)]
    """Who may approve, by name. `four_eyes` and `two` need it. Without it, any account may give the approval of `one`."""
    allow_hooks: tuple[str, ...] = ()
    """Models with hooks or a `sql_header`, and `PACKAGE.on-run-start` or `PACKAGE.on-run-end`, that a campaign may run."""
    source_folders: tuple[str, ...] | None = None
    """Folders that the files of sources must be in; relative ones start at the project. Without it, sources may be anywhere."""


def find_policy(settings: Settings) -> Policy:
    """Read `profiles/policy.yml`. A project without the file requires nothing. Raises ConfigError."""
    path = settings.profiles_dir / "policy.yml"
    if not path.is_file():
        return Policy(approvers={})
    content = {key: render(value, FILE, key) for key, value in read_yaml(path, FILE).items()}
    policy: Policy = parse(Policy, content, FILE, "")
    return policy


def strongest(*duties: Duty | None) -> Duty | None:
    """The strongest of some duties; None if there is none."""
    return max(filter(None, duties), key=DUTIES.index, default=None)
