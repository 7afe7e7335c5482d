"""Creates the client of an object store from a route alone. Settings from the environment are not used."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from dmail_runner.declare.object_route import AzureRoute, GcsRoute, ObjectRoute, S3Route, connection_parts

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


def client(place: ObjectRoute, options: "ClientConfig", again: "RetryConfig") -> ObjectStore:
    """A client for a route. The library reads missing settings from environment variables, so that all of them are given."""
    match place:
        case S3Route():
            keys = s3_keys(place) if place.access_key_id else None
            return S3Store(place.bucket, client_options=options, retry_config=again, credential_provider=keys, **s3(place))
        case AzureRoute():
            return AzureStore(place.container, client_options=options, retry_config=again, **azure(place))
        case GcsRoute():
            given: dict[str, Any] = {"base_url": place.endpoint or "https://storage.googleapis.com"}
            if place.service_account:
                given["service_account"] = str(place.service_account)
            return GCSStore(place.bucket, client_options=options, retry_config=again, **given)


def s3(place: S3Route) -> dict[str, Any]:
    host = f"s3.{place.region}.amazonaws.com" + (".cn" if place.region.startswith("cn-") else "")
    endpoint = place.endpoint or f"https://{f'{place.bucket}.' if place.virtual_hosted else ''}{host}"
    config = {
        "endpoint": endpoint,
        # The environment variable for this option would take precedence over `endpoint`.
        "aws_endpoint_url_s3": endpoint,
        "region": place.region,
        "virtual_hosted_style_request": place.virtual_hosted,
        "server_side_encryption": place.server_side_encryption,
        "sse_kms_key_id": place.kms_key_id,
        "skip_signature": False,
        "s3_express": False,
        "conditional_put": "etag",
        # The completion of a multipart copy accepts `If-None-Match: *`. A plain copy would overwrite an object.
        "copy_if_not_exists": "multipart",
        "disable_bulk_delete": True,
        "checksum_algorithm": "SHA256",
    }
    return {key: value for key, value in config.items() if value is not None}


def s3_keys(place: S3Route) -> Callable[[], Any]:
    """The route's keys and session token. A session token of the environment would belong to other keys."""
    keys = {
        "access_key_id": secret(place.access_key_id),
        "secret_access_key": secret(place.secret_access_key),
        "token": secret(place.session_token),
        "expires_at": None,
    }
    return lambda: keys


def azure(place: AzureRoute) -> dict[str, Any]:
    """The account and its key. The library does not accept a connection string, so that its parts are given by name."""
    parts = connection_parts(secret(place.connection_string) or "")
    key = parts.get("AccountKey") or secret(place.key)
    sas = parts.get("SharedAccessSignature") or secret(place.sas)
    endpoint = place.endpoint or parts.get("BlobEndpoint")
    account = place.account or parts.get("AccountName") or (urlsplit(endpoint or "").hostname or "").split(".")[0]
    if not account or not (key or sas):
        raise ValueError("it needs an account, and its key or a shared access signature")
    suffix = parts.get("EndpointSuffix", "core.windows.net")
    common = {"account_name": account, "endpoint": endpoint or f"https://{account}.blob.{suffix}", "skip_signature": False}
    if key:
        return {**common, "account_key": key, "credential_type": "access_key"}
    return {**common, "sas_key": (sas or "").removeprefix("?"), "credential_type": "sas_token"}


def secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None
