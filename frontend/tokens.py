"""What a token may look like. It travels in a header, and its words are never repeated in a message."""

import re

from frontend.errors import ClientError

# RFC 6750, section 2.1: b64token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def is_token(text: str) -> bool:
    """Whether `text` can be sent as a bearer token (RFC 6750): ASCII letters, digits and . _ ~ + / -, no spaces."""
    return _TOKEN.fullmatch(text) is not None


def checked_token(text: str) -> str:
    """`text` if it can be sent or is empty (nobody in particular); raises ClientError, which does not show it."""
    if text and not is_token(text):
        raise ClientError(
            code="malformed_token",
            title="The token cannot be right",
            detail="A token is one word of letters, digits and . _ ~ + / - and has no spaces, line breaks or accents.",
            remedy="Copy it again, whole and alone, into --token or GSI_TOKEN, or run `gsi login`.",
        )
    return text
