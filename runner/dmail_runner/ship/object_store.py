"""Object stores, by obstore: S3 and what speaks like it, Azure Blob Storage, Google Cloud Storage."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore as Client

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.object_route import AzureRoute, GcsRoute, ObjectRoute, S3Route
from dmail_runner.ship.delivery import Lost, Refused, Spoiled, Taken, Unheard, Watched, pause
from dmail_runner.ship.store_client import client
from dmail_runner.ship.store_faults import explained, plain

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


CHUNK = 8 << 20  # bytes of a piece
PIECES = 4  # under way at once
SINGLE = 16 << 20  # bytes that go in one request
COPIED = 5 << 30  # bytes that S3 copies in one go
SLOW = 600.0  # seconds that a request with a piece in it, or a copy within the store, may take


class Copying(Lost):
    """The store has perhaps not finished copying: what it copies from must stay."""


@dataclass(frozen=True)
class ObjectStore:
    """Objects below the route's prefix. Every method raises DeliveryError: Refused where the server said no, else Lost.

    `ask` is for short questions, `carry` for contents: both try again what may pass. `once` is for the one request that makes an
    object appear under its final name, and never repeats it by itself: had the store done it and only the answer been lost, and
    had the provider taken the object since, the repetition would deliver it a second time.
    """

    route: ObjectRoute
    ask: Client
    carry: Client
    once: Client

    def path(self, name: str) -> str:
        return f"{self.route.prefix.strip('/')}/{name}".lstrip("/")

    def size(self, name: str) -> int | None:
        """An object's bytes, or None where there is none. A bucket that does not exist has no objects."""
        with explained(self.location(name), "asking for its size"):
            try:
                return obstore.head(self.ask, self.path(name))["size"]
            except FileNotFoundError:
                return None

    def read(self, name: str) -> Iterator[bytes]:
        """An object's bytes, a piece at a time."""
        with explained(self.location(name), "reading it back"):
            for chunk in obstore.get(self.carry, self.path(name)).stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def remove(self, name: str) -> None:
        """Remove an object; it may be gone already."""
        with explained(self.location(name), "removing"), suppress(FileNotFoundError):
            obstore.delete(self.ask, self.path(name))

    def create(self, name: str, content: BinaryIO | Watched, size: int) -> None:
        """Make an object of `size` bytes, whole or not at all, and never over another. Raises Taken, Lost where nobody knows.

        What fits goes by one `PUT` with `If-None-Match: *`. The library's multipart upload knows no such condition, and its
        conditional `PUT` holds all in memory: more goes to a temporary name that nobody else has, in pieces, and from there to
        its own by a conditional copy within the store: S3's by the completion of a multipart copy and Azure's by Copy Blob
        (`If-None-Match: *`), Google's by `x-goog-if-generation-match: 0`.

        After any other error, Unheard among them, nothing was made. After Lost nobody knows: `size` and `read` tell whether the
        object is there; that it is not says nothing, however, where somebody takes objects away.
        """
        if self.seen(name):
            raise Taken(f"{self.location(name)} exists already; it was not touched")
        self.check_limit(name, size)
        if size > SINGLE:
            self.create_by_copy(name, content, size)
            return
        source = Source(content)
        with source.faults(self.location(name)):
            whole = source.read()
        self.check_size(name, len(whole), size)
        self.make(name, lambda: obstore.put(self.once, self.path(name), whole, mode="create", use_multipart=False))

    def seen(self, name: str) -> bool:
        """Whether the name is taken, as far as this can be seen: before the upload, and besides the condition."""
        try:
            with before_the_name():
                return self.size(name) is not None
        except Refused:
            # Who may not list an S3 bucket may not ask for what is not there; the condition holds all the same.
            return False

    def create_by_copy(self, name: str, content: BinaryIO | Watched, size: int) -> None:
        """Upload under a name of its own, then copy. What is left of it after a crash ends with `.part`."""
        temporary = f"{name}.{token_hex(8)}.part"
        try:
            with before_the_name():
                self.write(temporary, content)
                self.check_size(name, self.size(temporary), size)
        except BaseException:
            self.tidy(temporary)
            raise
        try:
            self.copy(temporary, name, size)
        except Copying:
            raise
        except DeliveryError:
            self.tidy(temporary)
            raise
        self.tidy(temporary)

    def tidy(self, temporary: str) -> None:
        """Remove what is not needed any more, where the store lets us: what was made is made all the same."""
        with suppress(DeliveryError):
            self.remove(temporary)

    def write(self, name: str, content: BinaryIO | Watched) -> None:
        """Make or replace an object, in pieces."""
        source = Source(content)
        with source.faults(self.location(name)), explained(self.location(name), "writing"):
            file: Any = source
            obstore.put(self.carry, self.path(name), file, chunk_size=CHUNK, max_concurrency=PIECES)

    def copy(self, temporary: str, final: str, size: int) -> None:
        """The conditional copy. Azure's may go on after its answer: until then the object is empty, and its source must stay."""
        azure = isinstance(self.route, AzureRoute)
        try:
            self.make(final, lambda: obstore.copy(self.once, self.path(temporary), self.path(final), overwrite=False))
        except Unheard:
            raise
        except Lost as error:
            raise (Copying if azure else Lost)(error.what) from None
        if azure:
            self.settle(final, size)

    def settle(self, name: str, size: int) -> None:
        """Wait until a copy is whole. Raises Copying where that cannot be seen: the name is given, so nothing was refused."""
        end = time.monotonic() + SLOW
        try:
            # An object that is gone was whole, or nobody would have taken it.
            while self.size(name) not in (size, None):
                if time.monotonic() > end:
                    raise Copying(f"{self.location(name)}: the store has not finished copying after {SLOW:.0f} s")
                time.sleep(1)
        except Refused as error:
            raise Copying(f"{error.what}; whether the copy is whole is not known") from None
        except Lost as error:
            raise Copying(error.what) from None

    def make(self, name: str, request: Callable[[], object]) -> None:
        """Make the request that gives a name; again only where nothing can have come of it."""
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

    def check_size(self, name: str, found: int | None, size: int) -> None:
        if found != size:
            there = "nothing" if found is None else f"{found:,} bytes"
            raise Spoiled(f"{self.location(name)}: {size:,} bytes were to be sent, but {there} arrived: it was not made")

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
    """A file whose faults are kept: the library would tell of them as its own, and so swallow a signal that stops us."""

    def __init__(self, content: BinaryIO | Watched) -> None:
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
    def faults(self, location: str) -> Iterator[None]:
        """Raise the file's fault instead of what it led to."""
        try:
            yield
        except BaseException:
            if isinstance(self.fault, OSError):
                raise DeliveryError(f"{location}: the file to send cannot be read: {self.fault.strerror or self.fault}") from None
            if self.fault is not None:
                raise self.fault from None
            raise


@contextmanager
def before_the_name() -> Iterator[None]:
    """Whatever is lost here, the final name was not given."""
    try:
        yield
    except Lost as error:
        raise Unheard(error.what) from None


@contextmanager
def object_store(place: ObjectRoute) -> Iterator[ObjectStore]:
    """The route's store. Raises DeliveryError where its settings cannot be used."""
    seconds = place.timeout
    connect = timedelta(seconds=seconds)
    question: ClientConfig = {"timeout": timedelta(seconds=seconds)}
    # The time in which a request is made and answered, whole: a slow line needs some for a piece.
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
