"""Uploads in parts over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from server.http.dependencies import ServicesOf, UnitOf
from server.http.routing import ApiRouter
from server.storage.port import Part, SignedClaim
from server.submissions import service as submissions
from server.submissions.multipart import receiving, service, store
from server.submissions.multipart.model import Declared, Upload
from server.submissions.multipart.schemas import (
    Bytes,
    CompleteIn,
    Number,
    PartOut,
    PartsIn,
    Sha256,
    SignedPartOut,
    SignedPartsOut,
    UploadIn,
    UploadOut,
    UploadsOut,
)
from server.submissions.presented import whole
from server.submissions.schemas import SubmissionOut
from server.teams.callers import READ, SUBMIT, SomeoneOf

router = ApiRouter(tags=["uploads"])
_ALL = "/submissions/{submission_id}/uploads"
_ONE = _ALL + "/{upload_id}"


@router.post(_ALL, status_code=201, dependencies=[SUBMIT])
def begin(
    submission_id: UUID, body: UploadIn, response: Response, caller: SomeoneOf, unit: UnitOf, services: ServicesOf
) -> UploadOut:
    """Begin to upload the archive in parts. The service says how large they are; a submission has one open upload."""
    declared = Declared(bytes=body.bytes, sha256=body.sha256)
    begun = service.begin(unit.conn, caller, submission_id, declared, settings=services.settings)
    response.headers["location"] = _address(begun)
    return _shown(begun)


@router.get(_ALL, dependencies=[READ])
def latest(submission_id: UUID, caller: SomeoneOf, unit: UnitOf) -> UploadsOut:
    """The latest uploads of a submission."""
    submissions.own(unit.conn, caller, submission_id)
    return UploadsOut(uploads=[_shown(upload) for upload in store.latest(unit.conn, submission_id)])


@router.get(_ONE, dependencies=[READ])
def get(
    submission_id: UUID, upload_id: UUID, caller: SomeoneOf, unit: UnitOf, services: ServicesOf, response: Response
) -> UploadOut:
    """An upload, and which parts have arrived: who was interrupted sends the others."""
    response.headers["cache-control"] = "private, no-cache"
    found = service.own(unit.conn, caller, submission_id, upload_id)
    parts = service.arrived(unit.conn, found, services.storage)
    return _shown(found, [PartOut(number=part.number, bytes=part.size, sha256=part.sha256) for part in parts])


@router.post(_ONE + "/parts", dependencies=[SUBMIT])
def sign(
    submission_id: UUID,
    upload_id: UUID,
    body: PartsIn,
    caller: SomeoneOf,
    unit: UnitOf,
    services: ServicesOf,
    response: Response,
) -> SignedPartsOut:
    """Where to send parts. Each URL takes exactly the part that it was asked for, and for a short time."""
    response.headers["cache-control"] = "no-store"
    wanted = [Part(part.number, part.bytes, part.sha256) for part in body.parts]
    seconds = services.settings.upload_url_seconds
    upload = (submission_id, upload_id)
    signed = service.sign(unit.conn, caller, upload, wanted, storage=services.storage.parts, seconds=seconds)
    return SignedPartsOut(
        parts=[
            SignedPartOut(number=part.number, url=one.url, headers=dict(one.headers), expires_in=seconds)
            for part, one in zip(wanted, signed, strict=True)
        ]
    )


@router.post(_ONE + "/complete", status_code=202, dependencies=[SUBMIT])
def complete(
    submission_id: UUID, upload_id: UUID, body: CompleteIn, caller: SomeoneOf, unit: UnitOf, services: ServicesOf
) -> SubmissionOut:
    """All parts have arrived: the archive is made of them and the check begins. Repeating this is harmless."""
    declared = Declared(bytes=body.bytes, sha256=body.sha256, parts=body.parts)
    found, fresh = service.complete(unit.conn, caller, submission_id, upload_id, declared, storage=services.storage)
    if fresh:
        unit.after_commit.append(partial(services.queue.validate, submission_id))
    return whole(unit.conn, found)


@router.delete(_ONE, status_code=204, response_class=Response, dependencies=[SUBMIT])
def abort(submission_id: UUID, upload_id: UUID, caller: SomeoneOf, unit: UnitOf, services: ServicesOf) -> None:
    """Give an upload up; what has arrived of it is thrown away. The submission still awaits its archive."""
    found = service.abort(unit.conn, caller, submission_id, upload_id)
    unit.after_commit.append(partial(services.storage.parts.abort, found.archive_key))


@router.put(
    "/parts/{storage_id}/{number}",
    status_code=204,
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def take(
    storage_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
    number: Number,
    size: Annotated[Bytes, Query(alias="bytes")],
    sha256: Sha256,
    expires: Annotated[int, Query(ge=0, le=2**53, description="Unix time.")],
    signature: Sha256,
    request: Request,
    services: ServicesOf,
) -> None:
    """Where signed URLs lead when the service stores files itself. The URL is the permission; no token is looked at."""
    claim = SignedClaim(Part(number, size, sha256), expires, signature)
    await receiving.take(storage_id, claim, request, services)


def _address(upload: Upload) -> str:
    return f"/api/v1/submissions/{upload.submission_id}/uploads/{upload.id}"


def _shown(upload: Upload, parts: list[PartOut] | None = None) -> UploadOut:
    here = _address(upload)
    return UploadOut(
        id=upload.id,
        submission=upload.submission_id,
        state="expired" if upload.state == "open" and upload.expired else upload.state,
        part_bytes=upload.part_bytes,
        most_parts=upload.most_parts,
        most_bytes=upload.most_bytes,
        bytes=upload.declared_bytes,
        sha256=upload.declared_sha256,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        parts=parts or [],
        links={"self": here, "parts": f"{here}/parts", "complete": f"{here}/complete"},
    )
