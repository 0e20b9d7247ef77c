"""Objects in an S3-compatible bucket. The only module that knows boto3."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from server.errors import MissingObjectError, StorageError
from server.storage.port import CHUNK_BYTES, Counted, Stored

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_LOG = logging.getLogger("gsi.storage")
_PART_BYTES = 8 * 1024 * 1024
_MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Storage:
    """A private bucket, reached with keys of our own; ``prefix`` stands before every object key."""

    def __init__(
        self,
        *,
        bucket: str,
        endpoint_url: str | None,
        region: str,
        access_key_id: str | None,
        secret_access_key: str | None,
        prefix: str = "",
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(
                retries={"max_attempts": 4, "mode": "standard"},
                connect_timeout=5,
                read_timeout=60,
                s3={"addressing_style": "path"} if endpoint_url else {},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, chunks: Iterable[bytes], *, max_bytes: int) -> Stored:
        """See `Storage.put`; a multipart upload, one part in memory at a time."""
        counted = Counted(chunks, max_bytes=max_bytes)
        with _translated():
            parts = _parts(counted)
            first = next(parts, b"")
            if len(first) < _PART_BYTES:
                self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=first)
            else:
                self._put_parts(key, first, parts)
        return counted.stored

    def _put_parts(self, key: str, first: bytes, rest: Iterator[bytes]) -> None:
        where = {"Bucket": self._bucket, "Key": self._prefix + key}
        upload_id = self._client.create_multipart_upload(Bucket=where["Bucket"], Key=where["Key"])["UploadId"]
        try:
            done: list[CompletedPartTypeDef] = []
            for number, body in enumerate(_with_first(first, rest), start=1):
                part = self._client.upload_part(
                    Bucket=where["Bucket"], Key=where["Key"], UploadId=upload_id, PartNumber=number, Body=body
                )
                done.append({"ETag": part["ETag"], "PartNumber": number})
            self._client.complete_multipart_upload(
                Bucket=where["Bucket"], Key=where["Key"], UploadId=upload_id, MultipartUpload={"Parts": done}
            )
        except BaseException:
            self._abort(where["Key"], upload_id)
            raise

    def _abort(self, key: str, upload_id: str) -> None:
        """Throw away the parts sent; a failure here must not hide the error that led here."""
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except (BotoCoreError, ClientError):
            _LOG.exception("the parts of %s could not be thrown away", key)

    def read(self, key: str) -> Iterator[bytes]:
        """See `Storage.read`."""
        with _translated():
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"]

        def chunks() -> Iterator[bytes]:
            with _translated(), body:
                yield from body.iter_chunks(CHUNK_BYTES)

        return chunks()

    def exists(self, key: str) -> bool:
        """See `Storage.exists`."""
        try:
            with _translated():
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        except MissingObjectError:
            return False
        return True

    def delete(self, key: str) -> None:
        """See `Storage.delete`."""
        with _translated():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def check(self) -> None:
        """See `Storage.check`."""
        try:
            with _translated():
                self._client.head_bucket(Bucket=self._bucket)
        except MissingObjectError as error:
            _LOG.error("there is no bucket %s", self._bucket)
            raise StorageError("The bucket of the settings does not exist.") from error

    def make_bucket(self) -> None:
        """Make the bucket where there is none. Raises StorageError where that is not ours to do."""
        try:
            with _translated():
                self._client.head_bucket(Bucket=self._bucket)
        except MissingObjectError:
            with _translated():
                self._client.create_bucket(Bucket=self._bucket)


@contextmanager
def _translated() -> Iterator[None]:
    """Vendor errors become ours, once, here; the vendor's words stay in the chain, for the log alone."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise MissingObjectError from error
        raise StorageError from error
    except BotoCoreError as error:
        raise StorageError from error


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _PART_BYTES:
            yield bytes(buffer[:_PART_BYTES])
            del buffer[:_PART_BYTES]
    if buffer:
        yield bytes(buffer)


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
