"""A route: a server and how to deliver to it (`profiles/routes.yml`)."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from runner.config import Strict, parse, read_yaml, render
from runner.errors import ConfigError, Problem
from runner.settings import Settings

FILE = "profiles/routes.yml"


def check_fingerprint(value: str) -> str:
    """An OpenSSH fingerprint."""
    if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}=?", value):
        raise ValueError("must be an OpenSSH fingerprint such as SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")
    return value.rstrip("=")


class FolderRoute(Strict):
    """A folder on this machine; a relative path starts at the project's folder."""

    type: Literal["folder"]
    path: Path


class SftpRoute(Strict):
    """An SFTP server. Its host key is pinned; it is logged in to by password or by private key."""

    type: Literal["sftp"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Annotated[str, Field(min_length=1)]
    password: SecretStr | None = None
    private_key: Path | None = None
    passphrase: SecretStr | None = None
    host_key: Annotated[str, AfterValidator(check_fingerprint)]
    directory: str = "."
    timeout: Annotated[float, Field(gt=0, le=3600)] = 30

    @model_validator(mode="after")
    def check_login(self) -> Self:
        if (self.password is None) == (self.private_key is None):
            raise ValueError("needs either `password` or `private_key`")
        return self


Route = Annotated[FolderRoute | SftpRoute, Field(discriminator="type")]


def find_route(settings: Settings, name: str) -> FolderRoute | SftpRoute:
    """The entry `name` of `profiles/routes.yml`, its paths absolute. Raises ConfigError."""
    entries = read_yaml(settings.profiles_dir / "routes.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, "there is no such route", ", ".join(entries))])
    route: FolderRoute | SftpRoute = parse(Route, render(entries[name], FILE, name), FILE, name)
    if isinstance(route, FolderRoute):
        path = absolute(settings, route.path, f"{name}.path")
        if path.resolve() in (settings.project_dir, *settings.project_dir.parents):
            raise ConfigError([Problem(FILE, f"{name}.path", "must be a folder of its own, not the project's or one above it")])
        return route.model_copy(update={"path": path})
    if route.private_key is None:
        return route
    return route.model_copy(update={"private_key": absolute(settings, route.private_key, f"{name}.private_key")})


def absolute(settings: Settings, path: str | Path, key: str) -> Path:
    """A path from the project's folder on. Raises ConfigError."""
    try:
        if "\0" in str(path):
            raise RuntimeError("has a null character")
        return settings.project_dir / Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError([Problem(FILE, key, f"is no path: {error}")]) from None
