"""Who is notified of which events (`profiles/notices.yml`)."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from dmail_runner.core.redact import register_secret
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict, load, read_yaml

FILE = "profiles/notices.yml"
PLAIN_KINDS = ("http", "json", "xml", "form")  # all but the first are apprise's
NOT_ENCRYPTED = "is not encrypted: use https (`jsons`, `xmls`, `forms`), or set `allow_http: true`"
Kind = Literal[
    "delivered", "empty", "held", "failed", "missed", "key_expiring", "left_behind", "approved", "file_aside", "difference",
    "stock", "recall",
]  # fmt: skip


class Channel(Strict):
    """One recipient of notices: an apprise `url` (mail, Slack, Teams and more) or a `webhook` that receives JSON."""

    url: SecretStr | None = None
    """An apprise URL: mail, Slack, Teams and many more."""
    webhook: SecretStr | None = None
    """A URL that receives each notice as JSON, instead of `url`."""
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    """HTTP headers of the webhook, such as a token."""
    allow_http: bool = False
    """Whether an unencrypted `webhook`, or an unencrypted apprise URL of the kinds `json`, `xml` and `form`, is allowed."""
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = (
        "empty", "held", "failed", "missed", "key_expiring", "left_behind", "file_aside", "difference",
        "stock", "recall",
    )  # fmt: skip
    """The kinds of notices to send."""
    campaigns: tuple[str, ...] | None = None
    """The campaigns to send notices of; by default all."""

    @model_validator(mode="after")
    def check_address(self) -> Self:
        if (self.url is None) == (self.webhook is None):
            raise ValueError("needs either `url` or `webhook`")
        if self.headers and self.webhook is None:
            raise ValueError("has `headers`, which only a `webhook` can have")
        return self

    @model_validator(mode="after")
    def check_encryption(self) -> Self:
        if self.webhook and not re.match(r"https?://", self.address, re.IGNORECASE):
            raise ValueError("has a `webhook` that is no https address")
        if not self.allow_http and is_plain(self.address):
            raise ValueError(NOT_ENCRYPTED)
        return self

    @property
    def address(self) -> str:
        """The channel's address, which may contain secrets."""
        return (self.url or self.webhook or SecretStr("")).get_secret_value().strip()

    @property
    def name(self) -> str:
        """The channel's name in error messages, without secrets."""
        return self.address.split(":", maxsplit=1)[0] + (" webhook" if self.webhook else "")


def is_plain(address: str) -> bool:
    """Whether an address is not encrypted."""
    return address.strip().partition(":")[0].lower() in PLAIN_KINDS


class Notices(Strict):
    """The recipients of notices."""

    owner: SecretStr | None = None
    """An apprise URL that notifies the owner of each campaign. `{owner}` is replaced by the owner's address."""
    channels: tuple[Channel, ...] = ()
    """The other recipients."""
    allow_http: bool = False
    """Whether an unencrypted `owner` of the kinds `json`, `xml` and `form` is allowed."""

    @model_validator(mode="after")
    def check_encryption(self) -> Self:
        if self.owner and not self.allow_http and is_plain(self.owner.get_secret_value()):
            raise ValueError(f"`owner` {NOT_ENCRYPTED}")
        return self


def find_notices(settings: Settings) -> Notices:
    """Read `profiles/notices.yml`. Without that file nobody is notified. Raises ConfigError."""
    if not (settings.profiles_dir / "notices.yml").is_file():
        return Notices()
    notices: Notices = load(Notices, read_yaml(settings.profiles_dir / "notices.yml", FILE), FILE, "", settings.project_dir)
    secrets = (secret for channel in notices.channels for secret in (channel.url, channel.webhook, *channel.headers.values()))
    for secret in (notices.owner, *secrets):
        if secret:
            register_secret(secret.get_secret_value())
    return notices
