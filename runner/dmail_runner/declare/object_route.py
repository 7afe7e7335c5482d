"""Routes to object stores: what each needs to be reached, and combinations that make no sense."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from dmail_runner.core.yaml import ProjectPath
from dmail_runner.declare.delivery import Delivery, FileDelivery, Way

Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Store(Delivery):
    """A bucket or container. An object store has neither folders nor renames."""

    prefix: str = ""
    """Stands before every name, as a folder would."""
    endpoint: str | None = None
    """A server that is not the provider's own."""
    allow_http: bool = False
    """Accepts one that does not encrypt."""
    timeout: Seconds = 30
    """Seconds without an answer after which it counts as gone."""

    @property
    def way(self) -> Way:
        return Way()

    @model_validator(mode="before")
    @classmethod
    def check_finish(cls, given: object) -> object:
        if isinstance(given, dict) and (keys := sorted(given.keys() & FileDelivery.__annotations__.keys())):
            raise ValueError(f"an object store has no `{'`, `'.join(keys)}`: an object appears complete, or not at all")
        return given

    @model_validator(mode="after")
    def check_place(self) -> Self:
        if re.search(r"(^|/)\.\.?(/|$)|^/|//|[\x00-\x1f\x7f\\]", self.prefix):
            raise ValueError("`prefix` must be a relative path with forward slashes, and no `..` in it")
        if self.endpoint is not None:
            check_url(self.endpoint, "`endpoint`", allow_http=self.allow_http)
        elif self.allow_http and not isinstance(self, AzureRoute):
            raise ValueError("has `allow_http`, but no `endpoint` that it could be for")
        return self


class S3Route(Store):
    """A bucket of S3, or of what speaks like it."""

    type: Literal["s3"]
    """S3, or what speaks like it."""
    bucket: Name
    """The bucket."""
    region: Name = "us-east-1"
    """Its region."""
    access_key_id: SecretStr | None = None
    """The key's id."""
    secret_access_key: SecretStr | None = None
    """The key."""
    session_token: SecretStr | None = None
    """The token of temporary credentials."""
    credentials: Literal["environment"] | None = None
    """`environment`: the machine's own are meant."""
    virtual_hosted: bool = False
    """The `endpoint` has the bucket's name in it."""
    server_side_encryption: Literal["AES256", "aws:kms"] | None = None
    """How the store encrypts what it keeps."""
    kms_key_id: str | None = None
    """The key for `aws:kms`."""

    @model_validator(mode="after")
    def check_credentials(self) -> Self:
        keys = (self.access_key_id is not None) + (self.secret_access_key is not None)
        if keys == 1 or (keys == 2) == (self.credentials is not None):
            raise ValueError("needs `access_key_id` and `secret_access_key`, or else `credentials: environment`")
        if self.session_token is not None and keys == 0:
            raise ValueError("has a `session_token`, which belongs to an `access_key_id` and a `secret_access_key`")
        if self.kms_key_id and self.server_side_encryption != "aws:kms":
            raise ValueError("has a `kms_key_id`, which is for `server_side_encryption: aws:kms`")
        return self


class AzureRoute(Store):
    """A container of Azure Blob Storage: by a connection string, or by the account and its key or a shared access signature."""

    type: Literal["azure"]
    """Azure Blob Storage."""
    container: Name
    """The container."""
    connection_string: SecretStr | None = None
    """A storage account's connection string."""
    account: str | None = None
    """Instead: the account."""
    key: SecretStr | None = None
    """Its key."""
    sas: SecretStr | None = None
    """Or a shared access signature."""

    @model_validator(mode="after")
    def check_credentials(self) -> Self:
        secrets = sum(secret is not None for secret in (self.key, self.sas))
        by_account = bool(self.account) and secrets == 1
        by_string = self.connection_string is not None and self.account is None and secrets == 0
        if not by_account and not by_string:
            raise ValueError("needs either `connection_string`, or `account` and one of `key` and `sas`")
        if by_account and self.connection_string is not None:
            raise ValueError("has both a `connection_string` and an `account`: which is meant?")
        if self.connection_string is not None:
            check_connection_string(self.connection_string.get_secret_value(), allow_http=self.allow_http)
        return self


class GcsRoute(Store):
    """A bucket of Google Cloud Storage, by a service account's file or by the machine's own credentials."""

    type: Literal["gcs"]
    """Google Cloud Storage."""
    bucket: Name
    """The bucket."""
    service_account: ProjectPath | None = None
    """A service account's JSON file."""
    credentials: Literal["environment"] | None = None
    """`environment`: the machine's own are meant."""

    @model_validator(mode="after")
    def check_credentials(self) -> Self:
        if (self.service_account is None) == (self.credentials is None):
            raise ValueError("needs either `service_account` or `credentials: environment`")
        return self


ObjectRoute = S3Route | AzureRoute | GcsRoute


def check_url(url: str, what: str, *, allow_http: bool) -> None:
    """A server's address, without a login and without a query. Raises ValueError."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"{what} must begin with https:// and name a host")
    if address.username or address.password or address.query or address.fragment:
        raise ValueError(f"{what} must have no user, password or query in it")
    if address.scheme == "http" and not allow_http:
        raise ValueError(f"{what} is not encrypted; `allow_http: true` accepts that")


def check_connection_string(text: str, *, allow_http: bool) -> None:
    """A storage account's connection string that says where, and as whom. Raises ValueError, without a word of the string."""
    parts = connection_parts(text)
    if ("AccountKey" in parts) == ("SharedAccessSignature" in parts):
        raise ValueError("`connection_string` must have either an AccountKey or a SharedAccessSignature")
    if "AccountName" not in parts and "BlobEndpoint" not in parts:
        raise ValueError("`connection_string` must have an AccountName or a BlobEndpoint")
    if "BlobEndpoint" in parts:
        check_url(parts["BlobEndpoint"], "the BlobEndpoint of `connection_string`", allow_http=allow_http)


def connection_parts(text: str) -> dict[str, str]:
    """A connection string's parts by their names."""
    pairs = (part.partition("=") for part in text.strip().split(";") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
