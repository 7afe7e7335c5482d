"""Who is notified of what (`profiles/notices.yml`)."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from dmail_runner.core.redact import remember
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict, parse, read_yaml, render

FILE = "profiles/notices.yml"
Kind = Literal["delivered", "empty", "held", "failed", "missed", "key_expiring"]


class Channel(Strict):
    """Somebody to tell: by an `url` of apprise (mail, Slack, Teams …), or by a `webhook`, which is sent JSON."""

    url: SecretStr | None = None
    """An address of apprise: mail, Slack, Teams and many more."""
    webhook: SecretStr | None = None
    """Or a URL that is sent JSON."""
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    """What goes with it, such as a token."""
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = ("empty", "held", "failed", "missed", "key_expiring")
    """Which notices it gets."""
    campaigns: tuple[str, ...] | None = None
    """Of which campaigns; of all where it is not said."""

    @model_validator(mode="after")
    def check_way(self) -> Self:
        if (self.url is None) == (self.webhook is None):
            raise ValueError("needs either `url` or `webhook`")
        if self.headers and self.webhook is None:
            raise ValueError("has `headers`, which only a `webhook` takes")
        return self

    @property
    def name(self) -> str:
        """What errors call it: nothing secret."""
        address = (self.url or self.webhook or SecretStr("")).get_secret_value()
        return address.split(":", maxsplit=1)[0] + (" webhook" if self.webhook else "")


class Notices(Strict):
    """Who is told."""

    owner: SecretStr | None = None
    """An apprise URL by which each campaign's owner is written to, with `{owner}` for the address."""
    channels: tuple[Channel, ...] = ()
    """Who else is told."""


def find_notices(settings: Settings) -> Notices:
    """`profiles/notices.yml`; nobody is told where there is none. Raises ConfigError."""
    if not (settings.profiles_dir / "notices.yml").is_file():
        return Notices()
    given = render(read_yaml(settings.profiles_dir / "notices.yml", FILE), FILE, "", settings.project_dir)
    wanted: Notices = parse(Notices, given, FILE, "")
    for secret in (wanted.owner, *(way for one in wanted.channels for way in (one.url, one.webhook, *one.headers.values()))):
        if secret:
            remember(secret.get_secret_value())
    return wanted
