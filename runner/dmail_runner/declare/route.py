"""A route: a server and how to deliver to it (`profiles/routes.yml`)."""

import base64
import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, WithJsonSchema, model_validator

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.redact import register_secret
from dmail_runner.core.settings import Settings
from dmail_runner.core.suggest import known_names
from dmail_runner.core.yaml import ProjectPath, Strict, load, read_yaml
from dmail_runner.declare.delivery import FileDelivery
from dmail_runner.declare.object_route import AzureRoute, GcsRoute, S3Route

FILE = "profiles/routes.yml"
# The old algorithms that a route may allow, by their SSH names.
Old = Literal["hmac-sha1", "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"]


def check_host_key(value: str) -> str:
    """Validate an OpenSSH fingerprint."""
    if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}=?", value):
        raise ValueError("must be an OpenSSH fingerprint such as SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")
    return value.rstrip("=")


def check_host(value: str) -> str:
    """Validate the name or the address of a server."""
    try:
        value.encode("idna")
    except UnicodeError:
        raise ValueError("must be the name or the address of a server") from None
    if re.search(r"[\s/@\[\]\x00-\x1f\x7f]", value):
        raise ValueError("must be the name or the address of a server alone, without `sftp://` and without a user")
    return value


def one_or_more(value: object) -> object:
    """Make a list of a single text."""
    return [value] if isinstance(value, str) else value


def check_base64(value: SecretStr) -> SecretStr:
    """Check that a text is Base64. Raises ValueError."""
    try:
        base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError:
        raise ValueError("must be the private key's file as Base64 (base64 -w0 FILE)") from None
    return value


def check_mode(value: object) -> object:
    """Validate an octal mode in quotes, such as '0640'. YAML reads 0640 without quotes as another number."""
    if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value):
        raise ValueError("must be an octal mode in quotes, such as '0640'")
    return int(value, 8)


HostKeys = Annotated[
    tuple[Annotated[str, AfterValidator(check_host_key)], ...],
    BeforeValidator(one_or_more),
    Field(min_length=1, max_length=2),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}]}),
]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class FolderRoute(FileDelivery):
    """A folder on this machine."""

    type: Literal["folder"]
    """A folder on this machine."""
    path: ProjectPath
    """The folder. A relative path starts at the project."""
    make_directory: bool = True
    """Whether a missing folder is created. With `false` it is an error, as for a folder of a share that is not mounted."""
    owner: str | None = None
    """The owner of the files."""
    group: str | None = None
    """The group of the files."""
    mode: Annotated[int, BeforeValidator(check_mode), WithJsonSchema({"type": "string", "pattern": "^0?[0-7]{3}$"})] = 0o600
    """The mode of the files in octal, such as `'0640'`."""


class Kept(NamedTuple):
    """Where refused logins are recorded: the name of the route, and a folder of the state directory."""

    route: str
    folder: Path


class Login(Strict):
    """An SSH server and its login: a password, a key, a one-time code, or several of them if the server requires that.

    The host key is pinned. While it changes, the old and the new one can both be pinned.
    """

    host: Annotated[str, Field(min_length=1), AfterValidator(check_host)]
    """The server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    """Its port."""
    user: Annotated[str, Field(min_length=1)]
    """The account."""
    password: SecretStr | None = None
    """The password, by `env_var` or `file`. It also answers keyboard-interactive."""
    private_key: ProjectPath | None = None
    """The file of a private key."""
    private_key_base64: Annotated[SecretStr, AfterValidator(check_base64)] | None = None
    """Instead of `private_key`: the same file as Base64, for an environment variable."""
    passphrase: SecretStr | None = None
    """The passphrase of the private key."""
    agent: bool = False
    """Instead of `private_key`: the keys of the SSH agent."""
    host_key: HostKeys
    """The fingerprint of the server's host key, or a list of two while it changes."""

    one_time_code: SecretStr | None = None
    """A code for one login, by `env_var`. The server asks for it by keyboard-interactive."""
    one_time_code_command: tuple[str, ...] = ()
    """Instead of `one_time_code`: a command that prints one, as a list of words. No shell runs it."""
    _kept: Kept | None = PrivateAttr(None)

    @model_validator(mode="after")
    def check_login(self) -> Self:
        keys = (self.private_key, self.private_key_base64, self.agent or None)
        if sum(key is not None for key in keys) > 1:
            raise ValueError("needs at most one of `private_key`, `private_key_base64` and `agent: true`")
        if not any((*keys, self.password, self.one_time_code, self.one_time_code_command)):
            raise ValueError("needs `password`, `private_key`, `private_key_base64` or `agent: true`, or several of them")
        if self.passphrase is not None and self.private_key is None and self.private_key_base64 is None:
            raise ValueError("has a `passphrase`, but no private key that it could open")
        if self.one_time_code and self.one_time_code_command:
            raise ValueError("needs at most one of `one_time_code` and `one_time_code_command`")
        return self

    @property
    def kept(self) -> Kept | None:
        """Where refusals of this login are recorded."""
        return self._kept

    def keep(self, kept: Kept) -> None:
        """Set where refusals of this login are recorded."""
        self._kept = kept


class SftpRoute(FileDelivery, Login):
    """An SFTP server."""

    type: Literal["sftp"]
    """SFTP."""
    directory: str = "."
    """The folder on the server."""
    make_directory: bool = True
    """Whether a missing folder is created. With `false`, no request about folders is sent."""
    jump: Login | None = None
    """A jump host, with its own login."""
    timeout: Seconds = 30
    """The time limit in seconds of each stage and each answer."""
    parallel: Annotated[int, Field(ge=1, le=16)] = 1
    """The number of sessions that deliver the parts of a split file at the same time."""
    rename: Literal["auto", "plain", "atomic"] = "auto"
    """How a file gets its final name. `auto`: on OpenSSH in one step to a second temporary name, and from there by the plain
    rename, which never overwrites; on other servers like `plain`. `plain`: by the plain rename alone. If it is refused or not
    answered and the file is not found, the run is held. `atomic`: like `plain`, and the provider guarantees one step."""
    ahead: bool = False
    """Upload a part of a split file while the next one is written."""
    allow_old: tuple[Old, ...] = ()
    """Old algorithms to offer to the server."""

    @model_validator(mode="after")
    def check_codes(self) -> Self:
        if (self.parallel > 1 or self.ahead) and any(login and login.one_time_code for login in (self, self.jump)):
            raise ValueError("has a `one_time_code` for one session; `parallel` and `ahead` need `one_time_code_command`")
        return self


AnyRoute = FolderRoute | SftpRoute | S3Route | AzureRoute | GcsRoute
Route = Annotated[AnyRoute, Field(discriminator="type")]


def find_route(settings: Settings, name: str) -> AnyRoute:
    """Read the entry `name` of `profiles/routes.yml`, with absolute paths.

    Raises:
        ConfigError: if there is no such entry, or it has errors.

    """
    entries = read_yaml(settings.profiles_dir / "routes.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, f"there is no such route; {known_names(name, entries)}")])
    route: AnyRoute = load(Route, entries[name], FILE, name, settings.project_dir)
    remember_secrets(route)
    if isinstance(route, SftpRoute):
        for login in filter(None, (route, route.jump)):
            login.keep(Kept(name, settings.refused_dir))
    if isinstance(route, FolderRoute) and route.path.resolve() in (settings.project_dir, *settings.project_dir.parents):
        raise ConfigError([Problem(FILE, f"{name}.path", "must be a folder of its own, not the project's or one above it")])
    return route


def remember_secrets(model: Strict) -> None:
    """Redact the model's secrets in every text of this process."""
    for field in type(model).model_fields:
        value = getattr(model, field)
        if isinstance(value, SecretStr):
            register_secret(value.get_secret_value())
        elif isinstance(value, Strict):
            remember_secrets(value)
