"""Servers that fall silent, or say something that is not SFTP."""

from servers.files import Files
from servers.openssh import serve_openssh, sftp_server
from servers.rights import silent
from servers.silent import NoSubsystem, SilentChannel, SilentLogin, SilentSubsystem, serve_words
from zoo.entry import BRIEF, Entry, Expected, Serve, failed, odd, openssh


def words(said: bytes, wants: int = 1) -> Serve:
    """Serves words, and nothing more when it has heard so many bytes."""
    return lambda folder, house: serve_words(folder / "root", house, said, wants)


def quiet(command: str) -> Serve:
    """Serves OpenSSH with a subsystem that will not answer."""
    return lambda folder, house: serve_openssh(folder / "sshd", f"touch {house.silent}; exec {command}")


SILENT = (
    Entry("silent", "The server sends nothing after a connection.", words(b""), failed("no answer"), None, given=BRIEF),
    Entry("silent after its version", "The server sends SSH's version, and then nothing.", words(b"SSH-2.0-Silent\r\n", 200), failed("no answer"), None, given=BRIEF),
    Entry("no SSH", "Another server listens: a mail server.", words(b"220 mail.example ESMTP\r\n" * 200), failed("SSH"), None, given=BRIEF),
    Entry("silent at the login", "The server does not answer to the password.", odd(Files, login=SilentLogin), failed("authentication"), None, given=BRIEF),
    Entry("silent at the channel", "No session channel is opened.", odd(Files, login=SilentChannel), failed("SFTP"), None, given=BRIEF),
    Entry("silent at the subsystem", "The request for SFTP gets no answer.", odd(Files, login=SilentSubsystem), failed("SFTP"), None, given=BRIEF),
    Entry("no SFTP", "The request for SFTP is refused.", odd(Files, login=NoSubsystem), failed("SFTP"), None),
    Entry("OpenSSH, sleep", "SFTP never begins: `Subsystem sftp /bin/sleep 600`", quiet("/bin/sleep 600"), failed("SFTP"), None, given=BRIEF),
    Entry("OpenSSH, yes", "Endless output: `Subsystem sftp /usr/bin/yes`", openssh("/usr/bin/yes"), failed("SFTP"), None),
    Entry("OpenSSH, no shell", "A sentence instead of the protocol: `Subsystem sftp /bin/echo ...`", openssh("/bin/echo This account is not available."), failed("SFTP"), None),
    Entry("OpenSSH, greeting", "A shell prints a greeting before the protocol begins.", openssh(f"echo Welcome to ACME; exec {sftp_server()}"), failed("SFTP"), None),
    *(
        Entry(f"silent at {request}", f"The request `{request}` gets no answer.", odd(silent(request)), failed("no answer"), None, given=BRIEF)
        for request in ("version", "stat", "open")
    ),
    *(
        Entry(f"silent at {request}", f"The request `{request}` gets no answer.", odd(silent(request)), failed("no answer"), None, given=BRIEF, leaves=(1, 0))
        for request in ("write", "close", "read")
    ),
    Entry("silent at mkdir", "The request `mkdir` gets no answer; the route's folder is missing.", odd(silent("mkdir")), failed("no answer"), None, given={**BRIEF, "directory": "in/new"}),
    Entry("silent at rename", "The request `rename` gets no answer, and is not carried out.", odd(silent("rename")), Expected("failed", "no answer", "held", 0), {"finish": "direct"}, given=BRIEF, leaves=(1, 0)),
)  # fmt: skip
