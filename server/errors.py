"""What can go wrong, in words for its reader. Every error has a stable code, a message and a remedy.

The HTTP status is part of the error's class; `server.http.problems` turns errors into problem documents (RFC 9457).
"""

from __future__ import annotations


class GsiError(Exception):
    """Something the caller should know."""

    status = 500
    code = "internal"
    title = "Something went wrong on our side"
    remedy = "Try again later; tell the maintainers if it stays."

    def __init__(self, detail: str = "", *, remedy: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.remedy = remedy if remedy is not None else type(self).remedy
        self.retry_after = retry_after


class NotFoundError(GsiError):
    """There is no such thing, or it is not yours to see."""

    status, code, title = 404, "not-found", "Not found"
    remedy = "Check the address and the token; what belongs to another team is not found either."


class UnauthorizedError(GsiError):
    """A token is needed, or the one sent is not valid."""

    status, code, title = 401, "unauthorized", "A valid token is needed"
    remedy = "Send `Authorization: Bearer <token>`; get a token with `gsi login`."


class ForbiddenError(GsiError):
    """The token does not allow this."""

    status, code, title = 403, "forbidden", "Not allowed"
    remedy = "Use a token with the role that this act needs."


class MethodNotAllowedError(GsiError):
    """The address is there and does not take that method."""

    status, code, title = 405, "method-not-allowed", "This address does not take that method"
    remedy = "Use one of the methods in the header `Allow`; /api/docs tells what each address takes."


class InvalidError(GsiError):
    """The request is understood and cannot be carried out as it is."""

    status, code, title = 422, "invalid", "The request is not valid"
    remedy = "Correct the request as the detail says."


class ConflictError(GsiError):
    """The thing is not in a state that allows this."""

    status, code, title = 409, "conflict", "Not possible in the present state"
    remedy = "Look at the present state and decide anew."


class PartDiffersError(ConflictError):
    """A part was signed with another content before."""

    code, title = "part-differs", "The part was announced with another content before"
    remedy = "The file has changed since: give the upload up and begin another."


class UploadBusyError(ConflictError):
    """Another request has the upload at this moment."""

    code, title = "upload-busy", "Another request is at work on this upload"
    remedy = "Repeat it in a moment."


class TooLargeError(GsiError):
    """More bytes than may be sent."""

    status, code, title = 413, "too-large", "The upload is too large"
    remedy = "Send JPEG or WebP instead of PNG, or leave out what does not belong to the submission."


class UnsupportedMediaTypeError(GsiError):
    """Not the content type that this address takes."""

    status, code, title = 415, "unsupported-media-type", "Wrong content type"
    remedy = "Send the zip itself as the request's body, with content-type application/zip."


class LengthMismatchError(GsiError):
    """The upload broke off."""

    status, code, title = 400, "incomplete-upload", "The upload is incomplete"
    remedy = "Send the archive again."


class ChecksumMismatchError(GsiError):
    """What arrived is not what was announced."""

    status, code, title = 400, "checksum-mismatch", "The bytes are not those that were announced"
    remedy = "Compute the part's SHA-256 anew, ask for another URL and send the part again."


class BadSignatureError(ForbiddenError):
    """A signed URL was changed, or is none of ours."""

    code, title = "bad-signature", "The URL is not signed by this service"
    remedy = "Use the URL as it was given, whole and unchanged, or ask for another."


class ExpiredUrlError(ForbiddenError):
    """A signed URL was used too late."""

    code, title = "url-expired", "The URL has expired"
    remedy = "Ask for another URL; parts that have arrived stay."


class MissingUploadError(NotFoundError):
    """The upload was completed, given up or has expired."""

    code, title = "upload-gone", "The upload is no longer open"
    remedy = "Look at the submission; if it still waits for its archive, begin another upload."


class UnavailableError(GsiError):
    """A part of the service does not answer."""

    status, code, title = 503, "unavailable", "The service is not ready"
    remedy = "Try again in a moment."


class BusyError(UnavailableError):
    """As many requests or uploads as the service takes are at work already."""

    code, title = "too-busy", "The service is too busy"


class TooManyError(GsiError):
    """The caller already does this as often at once as anyone may."""

    status, code, title = 429, "too-many", "Too many at once"
    remedy = "Wait until what you began before has ended."


class QuotaError(TooManyError):
    """A team has submitted as much as it may."""

    code, title = "quota-exhausted", "The quota is used up"
    remedy = "See GET /api/v1/benchmarks/{id}/quota for what is left and when it begins anew."


class StorageError(GsiError):
    """The object storage does not answer or refuses us."""

    status, code, title = 503, "storage-unavailable", "The storage does not answer"
    remedy = "Try again in a moment."


class QueueError(GsiError):
    """The broker does not answer; what was submitted waits, and nothing is lost."""

    status, code, title = 503, "queue-unavailable", "The queue does not answer"
    remedy = "Try again in a moment."


class MissingObjectError(StorageError):
    """An object that should be in storage is not there."""

    code, title = "object-missing", "A stored file is missing"
    remedy = "Tell the maintainers."


class ConfigurationError(GsiError):
    """The settings cannot work; for the operator."""

    code, title = "configuration", "The settings are not usable"
    remedy = "Correct the setting named; `gsi doctor` checks them all."
