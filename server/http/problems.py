"""Every error leaves as a problem document (RFC 9457): code, title, detail, remedy; never a vendor's words."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.errors import (
    ForbiddenError,
    GsiError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)
from server.http.headers import careful

_LOG = logging.getLogger("gsi.http")
MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing wrong with a request: where, and what."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem document; ``code`` is stable, ``remedy`` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str
    request_id: str | None = None
    errors: list[FieldProblem] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "A problem document.", "content": {MEDIA_TYPE: {}}}
}


def install(app: FastAPI) -> None:
    """Turn every error that ``app`` may meet into a problem document."""
    app.add_exception_handler(GsiError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def problem(request: Request, error: GsiError, *, errors: list[FieldProblem] | None = None) -> JSONResponse:
    """The answer that tells ``error``."""
    body = Problem(
        type=f"urn:gsi-bench:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        remedy=error.remedy,
        request_id=getattr(request.state, "request_id", None),
        errors=errors,
    )
    # An unexpected error is answered outside of the middleware that gives every other answer these headers.
    headers = {**careful(body.request_id or ""), "cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, UnauthorizedError):
        headers["www-authenticate"] = "Bearer"
    content = body.model_dump(exclude_none=True)
    return JSONResponse(content, status_code=error.status, media_type=MEDIA_TYPE, headers=headers)


def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GsiError)  # noqa: S101 - registered for this class
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("%s %s: %s", request.method, request.url.path, error.detail, exc_info=error)
    return problem(request, error)


class _InvalidRequestError(GsiError):
    status, code, title = 422, "invalid-request", "The request is not valid"
    remedy = "Correct the fields named in `errors`."


class _NotJsonError(GsiError):
    status, code, title = 400, "invalid-json", "The body is no JSON"
    remedy = "Send one JSON object (RFC 8259), encoded in UTF-8, with content-type application/json."


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    wrong = error.errors()
    broken = next((found for found in wrong if found["type"] == "json_invalid"), None)
    if broken is not None:
        words = f"It cannot be read from character {broken['loc'][-1]} on."
        return problem(request, _NotJsonError(words), errors=[FieldProblem(field="body", message=words)])
    if any(found["loc"] == ("body",) and found["type"] != "missing" for found in wrong) and not _says_json(request):
        return problem(request, UnsupportedMediaTypeError("The body is not sent as JSON.", remedy=_NotJsonError.remedy))
    errors = [
        FieldProblem(
            field=".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0]), message=found["msg"]
        )
        for found in wrong
    ]
    named = "; ".join(f"{one.field}: {one.message}" for one in errors[:5])
    return problem(request, _InvalidRequestError(named), errors=errors)


def _says_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


class _OtherError(GsiError):
    remedy = "See /api/docs for what this address takes."


class _BodyTooLargeError(GsiError):
    status, code, title = 413, "body-too-large", "The request's body is too large"
    remedy = "Send less; only an archive may be large, and its address is in the submission's `links`."


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    known: dict[int, type[GsiError]] = {
        400: _NotJsonError,  # the framework could not decode the body
        401: UnauthorizedError,
        403: ForbiddenError,
        404: NotFoundError,
        405: MethodNotAllowedError,
        413: _BodyTooLargeError,
    }
    told = known.get(error.status_code, _OtherError)()
    if type(told) is _OtherError:
        told.status = error.status_code
        told.code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        told.title = told.detail = HTTPStatus(error.status_code).phrase
    answer = problem(request, told)
    if error.headers:
        answer.headers.update(error.headers)
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(request, GsiError())
