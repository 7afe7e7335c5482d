"""What an object store answers, in plain words: what it refused, what can be asked again, and what nobody knows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from obstore.exceptions import BaseError

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.answers import Gone, Lost, Refused, Taken, Unheard


@contextmanager
def explained(location: str, doing: str) -> Iterator[None]:
    """What the store answers, in plain words."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise fault(location, doing, str(error)) from None


def fault(location: str, doing: str, text: str) -> DeliveryError:
    """What to raise for what the library says. Its words have addresses with signatures, and the server's whole answer."""
    said, _, debug = text.partition("Debug source:")
    found = re.search(r"status code: (\d{3})|\(code: (\d{3})\)", said)
    answer = re.search(r"<Code>(\w+)</Code>\s*<Message>([^<]*)", said)
    if not found and not answer:
        return unanswered(location, doing, said, debug)
    # S3 may say 200 first, and then that it failed.
    status = int(found[1] or found[2]) if found else 200
    code = answer[1] if answer else ""
    words = f"{status} {code}: {plain(answer[2].strip().partition(chr(10))[0])}" if answer else f"{status} {phrase(status)}"
    # Of S3's 409, some only say that somebody else is at it; Azure's say by their code what is meant.
    if status == HTTPStatus.PRECONDITION_FAILED or (status == HTTPStatus.CONFLICT and "AlreadyExists" in code):
        return Taken(f"{location} exists already ({words}); it was not touched")
    # S3 says by ConditionalRequestConflict that this request has made nothing, because another one was under way.
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in ("SlowDown", "ServerBusy", "ConditionalRequestConflict"):
        return Unheard(f"{location}: {doing} was put off: {words}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (HTTPStatus.CONFLICT, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.OK):
        return (Unheard if harmless(said) else Lost)(f"{location}: {doing} failed: {words}")
    kind = Gone if status == HTTPStatus.NOT_FOUND else Refused
    return kind(f"{location}: {doing} was refused: {words}", todo=advice(status, code, doing))


def unanswered(location: str, doing: str, said: str, debug: str) -> DeliveryError:
    """Without an answer, or with none that was meant for us."""
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
        # Of a name or an address that it does not take, the library tells before it sends anything.
        error = Refused if re.search(r"Could not parse path|URL scheme is not allowed|builder error", said + debug) else Lost
        return error(f"{location}: {doing} failed: {plain(said.partition('error response:')[0])}")
    if kind[1] == "Connect":
        return Unheard(f"{location}: {doing} failed: {'its name is not known' if 'dns error' in debug else 'nobody answers'}")
    words = "no answer in time" if kind[1] == "Timeout" else "the connection was lost before the answer"
    return (Unheard if harmless(said) else Lost)(f"{location}: {doing} failed: {words}")


def harmless(said: str) -> bool:
    """A step of S3's multipart copy before the last, which alone gives the name."""
    return re.search(r"performing (POST \S+\?uploads|PUT \S+[?&]partNumber)=", said) is not None


def advice(status: int, code: str, doing: str) -> str | None:
    """What to do about a refusal."""
    if status == HTTPStatus.NOT_FOUND:
        return "check the route's bucket or container, and its region"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        missing = "; S3 says this of a missing object, too, to whom it does not let list the bucket"
        return "check the route's credentials, and what they may do" + (missing if not code and "size" in doing else "")
    return None


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a word"


def plain(text: str) -> str:
    """A message in one line, without its debug output and without addresses: they may be signed."""
    text = re.sub(r"\w+://\S+", "(address)", text.partition("Debug source:")[0])
    return " ".join(text.split())[:300]
