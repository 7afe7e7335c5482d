"""Routes to object stores: S3, Azure Blob Storage and Google Cloud Storage."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from dmail_runner.core.yaml import ProjectPath
from dmail_runner.declare.delivery import Delivery, FileDelivery, Way

Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Store(Delivery):
    """The options that all object stores share."""

    prefix: str = ""
    """The prefix of all names, such as a folder."""
    endpoint: str | None = None
    """The URL of a server other than the cloud provider's own."""
    allow_http: bool = False
    """Whether the endpoint may be an unencrypted `http` URL."""
    timeout: Seconds = 30
    """The number of seconds without an answer after which the connection counts as lost."""

    @property
    def way(self) -> Way:
        return Way()

    @model_validator(mode="before")
    @classmethod
    def check_finish(cls, given: object) -> object:
        if isinstance(given, dict) and (keys := sorted(given.keys() & FileDelivery.__annotations__.keys())):
            raise ValueError(f"an object store has no `{'`, `'.join(keys)}`: an object appears completely or not at all")
        return given

    @model_validator(mode="after")
    def check_place(self) -> Self:
        if re.search(r"(^|/)\.\.?(/|$)|^/|//|[\x00-\x1f\x7f\\]", self.prefix):
            raise ValueError("`prefix` must be a relative path with forward slashes, and no `..` in it")
        if self.endpoint is not None:
            check_url(self.endpoint, "`endpoint`", allow_http=self.allow_http)
        elif self.allow_http and not isinstance(self, AzureRoute):
            raise ValueError("has `allow_http`, which needs an `endpoint`")
        return self


class S3Route(Store):
    """A bucket of S3, or of a compatible store."""

    type: Literal["s3"]
    """S3, or a compatible store."""
    bucket: Name
    """The bucket."""
    region: Name = "us-east-1"
    """The bucket's region."""
    access_key_id: SecretStr | None = None
    """The id of the access key."""
    secret_access_key: SecretStr | None = None
    """The secret of the access key."""
    session_token: SecretStr | None = None
    """The session token of temporary credentials."""
    credentials: Literal["environment"] | None = None
    """`environment`: the credentials of this machine or container."""
    virtual_hosted: bool = False
    """Whether the `endpoint` contains the bucket's name."""
    server_side_encryption: Literal["AES256", "aws:kms"] | None = None
    """How the store encrypts stored objects."""
    kms_key_id: str | None = None
    """The id of the key for `aws:kms`."""

    @model_validator(mode="after")
    def check_credentials(self) -> Self:
        keys = (self.access_key_id is not None) + (self.secret_access_key is not None)
        if keys == 1 or (keys == 2) == (self.credentials is not None):
            raise ValueError("needs `access_key_id` and `secret_access_key`, or `credentials: environment`")
        if self.session_token is not None and keys == 0:
            raise ValueError("has a `session_token`, which needs an `access_key_id` and a `secret_access_key`")
        if self.kms_key_id and self.server_side_encryption != "aws:kms":
            raise ValueError("has a `kms_key_id`, which needs `server_side_encryption: aws:kms`")
        return self


class AzureRoute(Store):
    """A container of Azure Blob Storage. It needs a connection string, or an account with a key or a shared access signature."""

    type: Literal["azure"]
    """Azure Blob Storage."""
    container: Name
    """The container."""
    connection_string: SecretStr | None = None
    """The connection string of a storage account."""
    account: str | None = None
    """Instead of `connection_string`: the storage account."""
    key: SecretStr | None = None
    """The key of the `account`."""
    sas: SecretStr | None = None
    """Instead of `key`: a shared access signature."""

    @model_validator(mode="after")
    def check_credentials(self) -> Self:
        secrets = sum(secret is not None for secret in (self.key, self.sas))
        by_account = bool(self.account) and secrets == 1
        by_string = self.connection_string is not None and self.account is None and secrets == 0
        if not by_account and not by_string:
            raise ValueError("needs either `connection_string`, or `account` and one of `key` and `sas`")
        if by_account and self.connection_string is not None:
            raise ValueError("has both a `connection_string` and an `account`; use one of them")
        if self.connection_string is not None:
            check_connection_string(self.connection_string.get_secret_value(), allow_http=self.allow_http)
        return self


class GcsRoute(Store):
    """A bucket of Google Cloud Storage. It needs the file of a service account, or the credentials of this machine."""

    type: Literal["gcs"]
    """Google Cloud Storage."""
    bucket: Name
    """The bucket."""
    service_account: ProjectPath | None = None
    """The JSON file of a service account."""
    credentials: Literal["environment"] | None = None
    """`environment`: the credentials of this machine or container."""

    @model_validator(mode="after")
    def check_credentials(self) -> Self:
        if (self.service_account is None) == (self.credentials is None):
            raise ValueError("needs either `service_account` or `credentials: environment`")
        return self


ObjectRoute = S3Route | AzureRoute | GcsRoute


def check_url(url: str, what: str, *, allow_http: bool) -> None:
    """Check the URL of a server. It must have no login and no query. Raises ValueError."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"{what} must begin with https:// and name a host")
    if address.username or address.password or address.query or address.fragment:
        raise ValueError(f"{what} must not contain a user, a password or a query")
    if address.scheme == "http" and not allow_http:
        raise ValueError(f"{what} is not encrypted; `allow_http: true` allows that")


def check_connection_string(text: str, *, allow_http: bool) -> None:
    """Check that a connection string has an account and a credential. Raises ValueError, which does not quote the string."""
    parts = connection_parts(text)
    if ("AccountKey" in parts) == ("SharedAccessSignature" in parts):
        raise ValueError("`connection_string` must have either an AccountKey or a SharedAccessSignature")
    if "AccountName" not in parts and "BlobEndpoint" not in parts:
        raise ValueError("`connection_string` must have an AccountName or a BlobEndpoint")
    if "BlobEndpoint" in parts:
        check_url(parts["BlobEndpoint"], "the BlobEndpoint of `connection_string`", allow_http=allow_http)


def connection_parts(text: str) -> dict[str, str]:
    """The parts of a connection string, by name."""
    pairs = (part.partition("=") for part in text.strip().split(";") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
