"""Object stores, by the library obstore: S3 and compatible stores, Azure Blob Storage, Google Cloud Storage."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore as Client

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.object_route import AzureRoute, GcsRoute, ObjectRoute, S3Route
from dmail_runner.ship.answers import Lost, Refused, Spoiled, Unheard, pause
from dmail_runner.ship.interface import Content, Rename, Seen
from dmail_runner.ship.store_client import client
from dmail_runner.ship.store_faults import explained, plain

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CHUNK = 8 << 20  # bytes of a piece
PIECES = 4  # pieces that are uploaded at the same time
SINGLE = 16 << 20  # the largest number of bytes of a single request
COPIED = 5 << 30  # the largest number of bytes that S3 copies in one request
SLOW = 600.0  # the time limit in seconds of a request with a piece, and of a copy within the store


@dataclass(frozen=True)
class ObjectStore:
    """Objects below the route's prefix. Methods raise Refused if the store refuses, and Lost if it does not answer.

    Attributes:
        ask: the client for short requests. It retries.
        carry: the client for contents. It retries.
        once: the client for the request that creates the final object. It never retries: if the first request succeeded, its
            answer was lost, and the provider has fetched the object since, a second request would deliver it twice.
    """

    route: ObjectRoute
    ask: Client
    carry: Client
    once: Client
    renames: ClassVar[tuple[Rename, ...]] = (Rename(one_step=False),)
    at_once: ClassVar[int] = SINGLE
    copies: ClassVar[bool] = True
    marks: ClassVar[Mapping[str, int]] = MappingProxyType({})

    def path(self, name: str) -> str:
        return f"{self.route.prefix.strip('/')}/{name}".lstrip("/")

    def look(self, name: str) -> Seen | None:
        """The size of an object in bytes; None if it does not exist. A missing bucket has no objects."""
        with explained(self.location(name), "asking for its size"):
            try:
                found = obstore.head(self.ask, self.path(name))
            except FileNotFoundError:
                return None
            return Seen(found["size"], found["last_modified"].timestamp())

    def entries(self, folder: str) -> dict[str, Seen]:
        """The objects whose names begin with a folder, without those in folders below it."""
        prefix = f"{self.path(folder).rstrip('/')}/".lstrip("/")
        with explained(self.location(folder), "listing it"):
            found = obstore.list_with_delimiter(self.ask, prefix or None)["objects"]
        return {meta["path"].rpartition("/")[2]: Seen(meta["size"], meta["last_modified"].timestamp()) for meta in found}

    def read(self, name: str) -> Iterator[bytes]:
        """The content of an object, in pieces."""
        with explained(self.location(name), "reading it back"):
            for chunk in obstore.get(self.carry, self.path(name)).stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def remove(self, name: str) -> bool:
        """Remove an object. A store does not report whether it existed, so that another request asks first."""
        if self.look(name) is None:
            return False
        with explained(self.location(name), "removing"), suppress(FileNotFoundError):
            obstore.delete(self.ask, self.path(name))
        return True

    def prepare(self, name: str) -> None:
        """Do nothing, because a store has no folders."""

    def put(self, name: str, content: Content) -> None:
        """Create an object in one `PUT` with `If-None-Match: *`.

        Raises:
            Taken: if the object exists.
            Lost: if it is unknown whether the object was created.
            DeliveryError: any other one, including Unheard, if it was not created.
        """
        source = Source(content)
        with source.faults():
            whole = source.read()
        if len(whole) != content.size:
            raise Spoiled(f"{self.location(name)}: {content.size:,} bytes were to be sent, and the file has {len(whole):,}")
        self.make(name, lambda: obstore.put(self.once, self.path(name), whole, mode="create", use_multipart=False))

    def write(self, name: str, content: Content, created: Callable[[], None] = lambda: None) -> None:
        """Create an object in pieces. The name must be unique, because the library's multipart upload supports no condition."""
        self.check_limit(name, content.size)
        source = Source(content)
        with source.faults(), explained(self.location(name), "writing"):
            created()
            file: Any = source
            obstore.put(self.carry, self.path(name), file, chunk_size=CHUNK, max_concurrency=PIECES)

    def publish(self, temporary: str, final: str, staged: str | None) -> None:  # noqa: ARG002 - a copy needs no second name
        """Copy within the store, unless an object has the final name. Raises the errors of `put`.

        - S3 completes a multipart copy with `If-None-Match: *`.
        - Azure uses Copy Blob with `If-None-Match: *`. The copy may continue after the answer.
        - Google copies with `x-goog-if-generation-match: 0`.
        """
        self.make(final, lambda: obstore.copy(self.once, self.path(temporary), self.path(final), overwrite=False))
        if isinstance(self.route, AzureRoute):
            self.wait_for_copy(temporary, final)

    def wait_for_copy(self, temporary: str, final: str) -> None:
        """Wait until a copy is complete. Raises Lost, never Refused, if that is unknown: the object has its name already."""
        end = time.monotonic() + SLOW
        try:
            source = self.look(temporary)
            # A missing object was complete: the provider has fetched it.
            while (found := self.look(final)) and source and found.size != source.size:
                if time.monotonic() > end:
                    raise Lost(f"{self.location(final)}: the store has not finished copying after {SLOW:.0f} s")
                time.sleep(1)
        except Refused as error:
            raise Lost(f"{error.what}; it is unknown whether the copy is complete") from None

    def make(self, name: str, request: Callable[[], object]) -> None:
        """Make the request that creates the final object. Repeat it only if it certainly had no effect."""
        for tries in count():
            try:
                with explained(self.location(name), "giving it its name"):
                    request()
                    return
            except Unheard:
                if tries >= self.route.retries:
                    raise
            time.sleep(pause(tries + 1, 0.05))

    def check_limit(self, name: str, size: int) -> None:
        if size > COPIED and isinstance(self.route, S3Route):
            raise Refused(
                f"{self.location(name)}: S3 gives {size:,} bytes no name without overwriting; it copies at most {COPIED:,}",
                todo="split the file: `split: {size: 4 GB}`",
            )

    def described(self) -> str:
        return self.location("")

    def location(self, name: str) -> str:
        match self.route:
            case AzureRoute():
                return f"azure://{self.route.container}/{self.path(name)}"
            case GcsRoute():
                return f"gs://{self.route.bucket}/{self.path(name)}"
            case _:
                return f"s3://{self.route.bucket}/{self.path(name)}"


class Source:
    """A file that keeps its errors. The library would replace them, and so swallow the signal that stops the process."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.fault: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self.content.read(size)
        except BaseException as error:
            self.fault = error
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.content.seek(offset, whence)

    def tell(self) -> int:
        return self.content.tell()

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Raise the file's error instead of the library's."""
        try:
            yield
        except BaseException:
            if self.fault is not None:
                raise self.fault from None
            raise


@contextmanager
def object_store(place: ObjectRoute) -> Iterator[ObjectStore]:
    """Open the route's store within the context. Raises DeliveryError if its settings are unusable."""
    seconds = place.timeout
    connect = timedelta(seconds=seconds)
    question: ClientConfig = {"timeout": timedelta(seconds=seconds)}
    # The time limit covers a request and its answer. A slow line needs time for a piece.
    contents: ClientConfig = {"timeout": timedelta(days=1), "read_timeout": timedelta(seconds=seconds + SLOW)}
    final: ClientConfig = {"timeout": timedelta(seconds=seconds + SLOW)}
    common: ClientConfig = {"connect_timeout": connect, "allow_http": place.allow_http}
    again: RetryConfig = {"max_retries": place.retries, "retry_timeout": timedelta(seconds=seconds * (place.retries + 1))}
    never: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(0)}
    try:
        ask = client(place, {**question, **common}, again)
        carry = client(place, {**contents, **common}, again)
        once = client(place, {**final, **common}, never)
    except (BaseError, ValueError, OSError) as error:
        raise DeliveryError(f"the route's store cannot be used: {plain(str(error))}") from None
    yield ObjectStore(place, ask, carry, once)
