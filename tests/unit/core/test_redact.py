"""Secrets never appear in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.core.redact import SECRETS, redact, register_secret


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=4, max_size=20),
    st.text(max_size=40),
    st.text(max_size=40),
)
def test_what_is_remembered_is_in_no_text(secret: str, before: str, after: str) -> None:
    SECRETS.clear()
    register_secret(secret)
    try:
        assert secret not in redact(before + secret + after).replace("(secret)", "\0")
    finally:
        SECRETS.clear()


@pytest.mark.parametrize(
    "text",
    [
        "https://user:canary@host/path",
        "DefaultEndpointsProtocol=https;AccountKey=canary;x",
        "https://a.blob/x?sv=1&sig=canary",
        "password: canary",
        "https://user:p@ss@canary@host/path",
        "postgresql://user:ca@nary-canary@host:5432/db",
        '{"password": "canary with blanks", "x": 1}',
        "{'api_key': 'canary'}",
        "ACME_PASSWORD=canary",
        "Authorization: Bearer canary.canary",
        "authorization: Basic Q2canarycanary==",
        "https://hooks.slack.com/services/T000/canary",
        "https://discord.com/api/webhooks/123/canary",
        "https://acme.webhook.office.com/webhookb2/canary",
        "aws_secret_access_key = canary",
        "?X-Amz-Signature=canary",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\ncanary",
    ],
)
def test_what_looks_like_a_secret_is_not_told(text: str) -> None:
    assert "canary" not in redact(text)
    assert "(secret)" in redact(text)


def test_a_message_about_a_key_stays_as_it_is() -> None:
    for text in ("profiles/routes.yml: acme.password: is required", "routes.yml: a.secret_access_key: is not allowed with `key`"):
        assert redact(text) == text
