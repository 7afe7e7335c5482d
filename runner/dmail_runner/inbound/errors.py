"""The errors of received files."""

from dmail_runner.core.errors import DmailError


class InboundError(DmailError):
    """Raised if the stored content of received files cannot be read or written, or is not as recorded."""


class Unacceptable(DmailError):
    """Raised if a file is not as its entry declares. The text has no values of rows."""
