"""Object stores, by obstore: S3 and what speaks like it, Azure Blob Storage, Google Cloud Storage."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from runner.errors import DeliveryError
from runner.route import AzureRoute, GcsRoute, ObjectRoute, S3Route
from runner.ship.delivery import Lost, Refused, Watched

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CHUNK = 8 << 20


@dataclass(frozen=True)
class Objects:
    """Objects below the route's prefix. A final name is given by a copy within the store that fails where the name is taken."""

    store: ObjectStore
    route: ObjectRoute

    def path(self, name: str) -> str:
        return f"{self.route.prefix.strip('/')}/{name}".lstrip("/")

    def size(self, name: str) -> int | None:
        with explained(self.location(name), "asking for its size"):
            try:
                return obstore.head(self.store, self.path(name))["size"]
            except FileNotFoundError:
                return None

    def write(self, name: str, content: BinaryIO | Watched) -> None:
        with explained(self.location(name), "writing"):
            obstore.put(self.store, self.path(name), content, chunk_size=CHUNK, max_concurrency=4)

    def read(self, name: str) -> Iterator[bytes]:
        with explained(self.location(name), "reading it back"):
            for chunk in obstore.get(self.store, self.path(name)).stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def publish(self, temporary: str, final: str) -> None:
        with explained(self.location(final), "giving it its name"):
            obstore.copy(self.store, self.path(temporary), self.path(final), overwrite=False)
        self.remove(temporary)

    def remove(self, name: str) -> None:
        with explained(self.location(name), "removing"):
            try:
                obstore.delete(self.store, self.path(name))
            except FileNotFoundError:
                return

    def described(self) -> str:
        return self.location("")

    def location(self, name: str) -> str:
        match self.route:
            case S3Route():
                return f"s3://{self.route.bucket}/{self.path(name)}"
            case AzureRoute():
                return f"azure://{self.route.container}/{self.path(name)}"
            case GcsRoute():
                return f"gs://{self.route.bucket}/{self.path(name)}"


@contextmanager
def object_store(route: ObjectRoute) -> Iterator[Objects]:
    """The route's store. Raises DeliveryError where its settings cannot be used."""
    client: ClientConfig = {"timeout": timedelta(seconds=600), "connect_timeout": timedelta(seconds=route.timeout)}
    if route.allow_http:
        client["allow_http"] = True
    again: RetryConfig = {"max_retries": route.retries, "retry_timeout": timedelta(seconds=route.timeout * (route.retries + 1))}
    try:
        store = made(route, client, again)
    except (BaseError, ValueError, OSError) as error:
        raise DeliveryError(f"the route's store cannot be used: {plain(error)}") from None
    yield Objects(store, route)


def made(route: ObjectRoute, client: "ClientConfig", again: "RetryConfig") -> ObjectStore:
    """The client for a route."""
    match route:
        case S3Route():
            config: dict[str, Any] = {
                "access_key_id": secret(route.access_key_id),
                "secret_access_key": secret(route.secret_access_key),
                "session_token": secret(route.session_token),
                "endpoint": route.endpoint,
                "region": route.region,
                "virtual_hosted_style_request": route.virtual_hosted,
                "server_side_encryption": route.server_side_encryption,
                "sse_kms_key_id": route.kms_key_id,
                # The completion of a multipart copy takes `If-None-Match: *`; a plain copy would replace what is there.
                "copy_if_not_exists": "multipart",
                "disable_bulk_delete": True,
                "checksum_algorithm": "SHA256",
            }
            return S3Store(route.bucket, client_options=client, retry_config=again, **given(config))
        case AzureRoute():
            return AzureStore(route.container, client_options=client, retry_config=again, **given(azure(route)))
        case GcsRoute():
            file = str(route.service_account) if route.service_account else None
            return GCSStore(route.bucket, client_options=client, retry_config=again, **given({"service_account": file}))


def azure(route: AzureRoute) -> dict[str, Any]:
    """The account and its key; the library takes no connection string, but its parts by their names."""
    if route.connection_string is None:
        return {"account_name": route.account, "sas_key": secret(route.sas), "endpoint": route.endpoint}
    text = route.connection_string.get_secret_value()
    parts = dict(part.split("=", 1) for part in text.strip().strip(";").split(";") if "=" in part)
    suffix = parts.get("EndpointSuffix", "core.windows.net")
    name = parts.get("AccountName")
    return {
        "account_name": name,
        "account_key": parts.get("AccountKey"),
        "sas_key": parts.get("SharedAccessSignature"),
        "endpoint": route.endpoint or parts.get("BlobEndpoint") or f"https://{name}.blob.{suffix}",
    }


def given(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if value is not None}


def secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None


@contextmanager
def explained(location: str, doing: str) -> Iterator[None]:
    """What the store answers: Refused where it said no, Lost where nobody knows."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise Refused(f"{location}: {doing} was refused: it exists already") from None
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise Refused(f"{location}: {doing} was refused: {plain(error)}", todo="check the route's credentials") from None
    except (NotFoundError, FileNotFoundError) as error:
        raise Refused(f"{location}: {doing} failed: there is no such bucket or object: {plain(error)}") from None
    except (BaseError, OSError) as error:
        if found := re.search(r"status 4\d\d|40[0-9] [A-Z]|InvalidArgument|QuotaExceeded", str(error)):
            raise Refused(f"{location}: {doing} was refused ({found[0]}): {plain(error)}") from None
        raise Lost(f"{location}: {doing} failed: {plain(error)}") from None


def plain(error: Exception) -> str:
    """The store's words without its debug output, addresses with signatures, and whatever else may hold a secret."""
    text = str(error).split("Debug source:")[0]
    found = re.search(r"<Code>(\w+)</Code>\s*<Message>([^<]*)</Message>", text)
    if found:
        return f"{found[1]}: {found[2]}"
    text = re.sub(r"https?://\S+", "(address)", text)
    return " ".join(text.split())[:300] or type(error).__name__
