"""Addresses below the API, made of segments that cannot mean anything else there."""

from urllib.parse import quote

from frontend.errors import ClientError


def path_of(*segments: str) -> str:
    """The path of `segments`, each percent-encoded whole (RFC 3986, section 3.3): path_of("a", "b/c") is /a/b%2Fc.

    Raises ClientError for an empty segment and for the dot segments, which no encoding keeps from being resolved.
    """
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ClientError(
                code="not_an_id",
                title=f"{segment!r} is no id",
                remedy="Copy the id whole, as the service printed it.",
                status=404,
            )
    return "".join("/" + quote(segment, safe="", errors="replace") for segment in segments)
