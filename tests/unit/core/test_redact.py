"""Secrets never appear in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.core.redact import KNOWN, redact, remember


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=4, max_size=20),
    st.text(max_size=40),
    st.text(max_size=40),
)
def test_what_is_remembered_is_in_no_text(secret: str, before: str, after: str) -> None:
    KNOWN.clear()
    remember(secret)
    try:
        assert secret not in redact(before + secret + after).replace("(secret)", "\0")
    finally:
        KNOWN.clear()


@pytest.mark.parametrize(
    "text",
    [
        "https://user:canary@host/path",
        "DefaultEndpointsProtocol=https;AccountKey=canary;x",
        "https://a.blob/x?sv=1&sig=canary",
        "password: canary",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\ncanary",
    ],
)
def test_what_looks_like_a_secret_is_not_told(text: str) -> None:
    assert "canary" not in redact(text)
    assert "(secret)" in redact(text)
