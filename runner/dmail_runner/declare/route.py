"""A route: a server and how to deliver to it (`profiles/routes.yml`)."""

import base64
import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.redact import remember
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict, parse, read_yaml, render
from dmail_runner.declare import object_route
from dmail_runner.declare.encryption import Encryption

FILE = "profiles/routes.yml"
# What a route may let an old server use, though nobody should any more: by the words of SSH.
Old = Literal["hmac-sha1", "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"]
L = TypeVar("L", bound="Login")


def check_host_key(value: str) -> str:
    """An OpenSSH fingerprint."""
    if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}=?", value):
        raise ValueError("must be an OpenSSH fingerprint such as SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")
    return value.rstrip("=")


def one_or_more(value: object) -> object:
    """One may stand without a list."""
    return [value] if isinstance(value, str) else value


def check_base64(value: SecretStr) -> SecretStr:
    """A private key's file as Base64, as an environment variable holds it."""
    try:
        base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError:
        raise ValueError("must be the private key's file as Base64 (base64 -w0 FILE)") from None
    return value


def check_mode(value: object) -> object:
    """An octal mode, such as '0640'; YAML reads 0640 itself as another number."""
    if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value):
        raise ValueError("must be an octal mode in quotes, such as '0640'")
    return int(value, 8)


def check_temporary(value: str) -> str:
    """The form of a temporary name."""
    path = value.replace("{name}", "name", 1)
    parts = path.split("/")
    if value.count("{name}") != 1 or "{name}" not in value.rpartition("/")[2]:
        raise ValueError("must hold `{name}` once, in its last part, such as {name}.part, .{name} or tmp/{name}")
    if any(part in ("", ".", "..") for part in parts) or re.search(r"[\x00-\x1f\x7f\\{}]", path):
        raise ValueError("must be a relative path with forward slashes, and no `..` in it")
    return value


HostKeys = Annotated[
    tuple[Annotated[str, AfterValidator(check_host_key)], ...],
    BeforeValidator(one_or_more),
    Field(min_length=1, max_length=2),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}]}),
]
Seconds = Annotated[float, Field(gt=0, le=3600)]


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


class FolderRoute(Delivery):
    """A folder on this machine."""

    type: Literal["folder"]
    """A folder on this machine."""
    path: Path
    """The folder; a relative path starts at the project."""
    owner: str | None = None
    """The files' owner."""
    group: str | None = None
    """Their group."""
    mode: Annotated[int, BeforeValidator(check_mode), WithJsonSchema({"type": "string", "pattern": "^0?[0-7]{3}$"})] = 0o600
    """Their mode in octal, such as `'0640'`."""


class Login(Strict):
    """An SSH server, and how to log in to it. Its host key is pinned; while it changes, the old and the new one may both be."""

    host: Annotated[str, Field(min_length=1)]
    """The server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    """Its port."""
    user: Annotated[str, Field(min_length=1)]
    """Whom to log in as."""
    password: SecretStr | None = None
    """A password, by `env_var` or `file`."""
    private_key: Path | None = None
    """Or a private key's file."""
    private_key_base64: Annotated[SecretStr, AfterValidator(check_base64)] | None = None
    """Or a private key's file as Base64, as an environment variable holds it."""
    passphrase: SecretStr | None = None
    """What opens the private key."""
    agent: bool = False
    """Or whatever the SSH agent has."""
    host_key: HostKeys
    """The server's fingerprint, or two while it changes."""

    @model_validator(mode="after")
    def check_login(self) -> Self:
        ways = (self.password, self.private_key, self.private_key_base64, self.agent or None)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("needs either `password`, `private_key`, `private_key_base64` or `agent: true`")
        if self.passphrase is not None and self.private_key is None and self.private_key_base64 is None:
            raise ValueError("has a `passphrase`, but no private key that it could open")
        return self


class SftpRoute(Delivery, Login):
    """An SFTP server."""

    type: Literal["sftp"]
    """SFTP."""
    directory: str = "."
    """The folder on the server."""
    make_directory: bool = True
    """Make it where it is missing; with `false`, no folder is asked for or made."""
    rename: Literal["auto", "plain", "atomic"] = "auto"
    """By what is known of the server, or by SFTP's own rename, which may be two steps, or is declared to be one (`atomic`)."""
    jump: Login | None = None
    """A server to go through, with a login of its own."""
    timeout: Seconds = 30
    """Seconds without an answer after which the server counts as gone."""
    parallel: Annotated[int, Field(ge=1, le=16)] = 1
    """Sessions, with one part each at a time."""
    ahead: bool = False
    """A part of a split file travels while the next one is written."""
    allow_old: tuple[Old, ...] = ()
    """Algorithms that are not offered otherwise."""


class Bucket(Delivery):
    """A place in an object store, which has neither folders nor renames."""

    @model_validator(mode="after")
    def check_finish(self) -> Self:
        if self.finish != "rename" or self.temporary != "{name}.part" or self.taken or self.verify in ("hash", "trust"):
            raise ValueError(
                "an object store knows no `finish`, `temporary`, `taken` or `verify`: an object appears whole, or not at all"
            )
        return self


class S3Route(Bucket, object_route.S3Route):
    """A bucket of S3, or of what speaks like it."""


class AzureRoute(Bucket, object_route.AzureRoute):
    """A container of Azure Blob Storage."""


class GcsRoute(Bucket, object_route.GcsRoute):
    """A bucket of Google Cloud Storage."""


ObjectRoute = S3Route | AzureRoute | GcsRoute
AnyRoute = FolderRoute | SftpRoute | S3Route | AzureRoute | GcsRoute
Route = Annotated[AnyRoute, Field(discriminator="type")]


def find_route(settings: Settings, name: str) -> AnyRoute:
    """The entry `name` of `profiles/routes.yml`, its paths absolute. Raises ConfigError."""
    entries = read_yaml(settings.profiles_dir / "routes.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, "there is no such route", ", ".join(entries))])
    given = render(entries[name], FILE, name, settings.project_dir)
    route: AnyRoute = parse(Route, given, FILE, name)
    remember_secrets(route)
    if isinstance(route, FolderRoute):
        path = absolute(settings, route.path, f"{name}.path")
        if path.resolve() in (settings.project_dir, *settings.project_dir.parents):
            raise ConfigError([Problem(FILE, f"{name}.path", "must be a folder of its own, not the project's or one above it")])
        route = route.model_copy(update={"path": path})
    if isinstance(route, SftpRoute):
        jump = route.jump and with_paths(settings, route.jump, f"{name}.jump")
        route = with_paths(settings, route, name).model_copy(update={"jump": jump})
    if isinstance(route, GcsRoute) and route.service_account:
        route = route.model_copy(update={"service_account": absolute(settings, route.service_account, f"{name}.service_account")})
    if route.encryption and route.encryption.sign:
        file = absolute(settings, route.encryption.sign.file, f"{name}.encryption.sign.file")
        sign = route.encryption.sign.model_copy(update={"file": file})
        route = route.model_copy(update={"encryption": route.encryption.model_copy(update={"sign": sign})})
    return route


def remember_secrets(model: Strict) -> None:
    """Let no text of this process show the model's secrets."""
    for field in type(model).model_fields:
        value = getattr(model, field)
        if isinstance(value, SecretStr):
            remember(value.get_secret_value())
        elif isinstance(value, Strict):
            remember_secrets(value)


def with_paths(settings: Settings, login: L, key: str) -> L:
    """A login whose private key has an absolute path."""
    if login.private_key is None:
        return login
    return login.model_copy(update={"private_key": absolute(settings, login.private_key, f"{key}.private_key")})


def absolute(settings: Settings, path: str | Path, key: str) -> Path:
    """A path from the project's folder on. Raises ConfigError."""
    try:
        if "\0" in str(path):
            raise RuntimeError("has a null character")
        return settings.project_dir / Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError([Problem(FILE, key, f"is no path: {error}")]) from None
