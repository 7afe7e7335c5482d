"""Turns errors of an object store into delivery errors: refusals, requests that can be repeated, and unknown results."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from obstore.exceptions import BaseError

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.answers import Gone, Lost, Refused, Taken, Unheard

NO_CONDITION = (
    "the store must create an object only if its name is free (`If-None-Match: *`): ask the provider for a newer version"
)


@contextmanager
def explained(location: str, doing: str) -> Iterator[None]:
    """Raise the library's errors within the context as delivery errors."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise fault(location, doing, str(error)) from None


def fault(location: str, doing: str, text: str) -> DeliveryError:
    """The delivery error for the library's text. That text is not quoted in full, because it has signed addresses."""
    said, _, debug = text.partition("Debug source:")
    found = re.search(r"status code: (\d{3})|\(code: (\d{3})\)", said)
    answer = re.search(r"<Code>(\w+)</Code>\s*<Message>([^<]*)", said)
    if not found and not answer:
        return unanswered(location, doing, said, debug)
    # S3 may answer 200 first, and report the failure in the body.
    status = int(found[1] or found[2]) if found else 200
    code = answer[1] if answer else ""
    words = f"{status} {code}: {plain(answer[2].strip().partition(chr(10))[0])}" if answer else f"{status} {phrase(status)}"
    # S3 also answers 409 to concurrent requests. Azure's 409 has a code that names the reason.
    if status == HTTPStatus.PRECONDITION_FAILED or (status == HTTPStatus.CONFLICT and "AlreadyExists" in code):
        return Taken(f"{location} exists already ({words}); it was not touched")
    # S3 says by ConditionalRequestConflict that this request has made nothing, because another one was under way.
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in ("SlowDown", "ServerBusy", "ConditionalRequestConflict"):
        return Unheard(f"{location}: {doing} was put off: {words}")
    if status == HTTPStatus.NOT_IMPLEMENTED:
        # The store does not know the request, or its condition, and has done nothing.
        return Refused(f"{location}: {doing} is not possible: {words}", todo=NO_CONDITION)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (HTTPStatus.CONFLICT, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.OK):
        return (Unheard if harmless(said) else Lost)(f"{location}: {doing} failed: {words}")
    kind = Gone if status == HTTPStatus.NOT_FOUND else Refused
    return kind(f"{location}: {doing} was refused: {words}", todo=advice(status, code, doing))


def unanswered(location: str, doing: str, said: str, debug: str) -> DeliveryError:
    """The delivery error if the store did not answer, or something else did."""
    if "redirect without LOCATION" in said:
        return Refused(f"{location}: {doing} was refused: it is elsewhere", todo="check the route's `region` and `endpoint`")
    if certificate := re.search(r"InvalidCertificate\(\s*(\w+)", debug):
        return DeliveryError(f"{location}: {doing} failed: the server's certificate is not trusted ({certificate[1]})")
    if re.search(r"169\.254\.|metadata\.google", said):
        return DeliveryError(
            f"{location}: {doing} failed: this machine has no credentials for it", todo="check the route's `credentials`"
        )
    kind = re.search(r"HttpError \{\s*kind: (\w+)", debug)
    if not kind:
        # The library reports an invalid name or address before it sends anything.
        error = Refused if re.search(r"Could not parse path|URL scheme is not allowed|builder error", said + debug) else Lost
        return error(f"{location}: {doing} failed: {plain(said.partition('error response:')[0])}")
    if kind[1] == "Connect":
        return Unheard(f"{location}: {doing} failed: {'its name is not known' if 'dns error' in debug else 'nobody answers'}")
    words = "no answer in time" if kind[1] == "Timeout" else "the connection was lost before the answer"
    return (Unheard if harmless(said) else Lost)(f"{location}: {doing} failed: {words}")


def harmless(said: str) -> bool:
    """Whether the request is a step of S3's multipart copy before the last one. Only the last one creates the object."""
    return re.search(r"performing (POST \S+\?uploads|PUT \S+[?&]partNumber)=", said) is not None


def advice(status: int, code: str, doing: str) -> str | None:
    """The advice for a refusal; None if there is none."""
    if status == HTTPStatus.NOT_FOUND:
        return "check the route's bucket or container, and its region"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        missing = "; S3 also gives this answer for a missing object if the account may not list the bucket"
        return "check the route's credentials, and what they may do" + (missing if not code and "size" in doing else "")
    return None


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a word"


def plain(text: str) -> str:
    """A message in one line, without debug output, and without addresses, because they may be signed."""
    text = re.sub(r"\w+://\S+", "(address)", text.partition("Debug source:")[0])
    return " ".join(text.split())[:300]
