"""Parts of objects in an S3-compatible bucket: multipart uploads under presigned URLs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.errors import MissingObjectError, MissingUploadError
from server.storage.port import Part, SignedPart
from server.storage.s3_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, PartTypeDef


class S3Parts:
    """See `server.storage.port.Parts`; ``signing`` makes the URLs, for the address under which others reach the bucket.

    The server itself compares length and SHA-256 of what comes with what was signed: both stand in signed headers, and
    uploads are begun with the SHA-256 as their checksum.
    """

    def __init__(self, client: S3Client, signing: S3Client, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._signing = signing
        self._bucket = bucket
        self._prefix = prefix

    @property
    def origin(self) -> str:
        """See `Parts.origin`."""
        parts = urlsplit(self._url("-", "-", Part(1, 0, ""), seconds=1))
        return f"{parts.scheme}://{parts.netloc}"

    def begin(self, key: str) -> str:
        """See `Parts.begin`."""
        with translated():
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._prefix + key, ChecksumAlgorithm="SHA256"
            )
        return begun["UploadId"]

    def sign(self, key: str, upload_id: str, part: Part, *, seconds: int) -> SignedPart:
        """See `Parts.sign`; the length is sealed too, and every client sends it by itself."""
        headers = {"x-amz-checksum-sha256": _base64(part.sha256)}
        return SignedPart(self._url(key, upload_id, part, seconds=seconds), headers)

    def _url(self, key: str, upload_id: str, part: Part, *, seconds: int) -> str:
        return self._signing.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self._bucket,
                "Key": self._prefix + key,
                "UploadId": upload_id,
                "PartNumber": part.number,
                "ContentLength": part.size,
                "ChecksumSHA256": _base64(part.sha256),
            },
            ExpiresIn=seconds,
        )

    def arrived(self, key: str, upload_id: str) -> dict[int, int]:
        """See `Parts.arrived`."""
        return {number: part["Size"] for number, part in self._stored(key, upload_id).items()}

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> int:
        """See `Parts.complete`."""
        with suppress(MissingUploadError):
            self._complete(key, upload_id, parts)
        try:
            with translated():
                return self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)["ContentLength"]
        except MissingObjectError as neither:
            raise MissingUploadError from neither

    def _complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        stored = self._stored(key, upload_id)
        made_of: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": stored[part.number]["ETag"], "ChecksumSHA256": _base64(part.sha256)}
            for part in parts
        ]
        with translated():
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._prefix + key,
                UploadId=upload_id,
                MultipartUpload={"Parts": made_of},
            )

    def abort(self, key: str) -> None:
        """See `Parts.abort`."""
        name = self._prefix + key
        with translated():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=name)
            found = [one["UploadId"] for page in pages for one in page.get("Uploads", []) if one["Key"] == name]
        for upload_id in found:
            with suppress(MissingUploadError), translated():
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload_id)

    def _stored(self, key: str, upload_id: str) -> dict[int, PartTypeDef]:
        with translated():
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=self._prefix + key, UploadId=upload_id
            )
            return {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}


def _base64(sha256: str) -> str:
    return b64encode(bytes.fromhex(sha256)).decode()
