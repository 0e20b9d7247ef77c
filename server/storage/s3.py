"""Objects in an S3-compatible bucket. The only module that knows boto3."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from server.errors import MissingObjectError, StorageError
from server.storage.port import CHUNK_BYTES, Counted, Stored
from server.storage.s3_errors import translated
from server.storage.s3_parts import S3Parts

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_LOG = logging.getLogger("gsi.storage")
_PART_BYTES = 8 * 1024 * 1024


class S3Storage:
    """A private bucket, reached with keys of our own; ``prefix`` stands before every object key.

    ``public_endpoint_url`` is where others reach the bucket, if that is another address than ours.
    """

    def __init__(
        self,
        *,
        bucket: str,
        endpoint_url: str | None,
        region: str,
        access_key_id: str | None,
        secret_access_key: str | None,
        prefix: str = "",
        public_endpoint_url: str | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix

        def client(endpoint: str | None) -> S3Client:
            return boto3.client(
                "s3",
                endpoint_url=endpoint,
                region_name=region,
                aws_access_key_id=access_key_id,
                aws_secret_access_key=secret_access_key,
                config=_config(endpoint),
            )

        self._client = client(endpoint_url)
        signing = client(public_endpoint_url) if public_endpoint_url else self._client
        self._parts = S3Parts(self._client, signing, bucket=bucket, prefix=prefix)

    @property
    def parts(self) -> S3Parts:
        """See `Storage.parts`."""
        return self._parts

    def put(self, key: str, chunks: Iterable[bytes], *, max_bytes: int) -> Stored:
        """See `Storage.put`; a multipart upload, one part in memory at a time."""
        counted = Counted(chunks, max_bytes=max_bytes)
        with translated():
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
        with translated():
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"]

        def chunks() -> Iterator[bytes]:
            with translated(), body:
                yield from body.iter_chunks(CHUNK_BYTES)

        return chunks()

    def exists(self, key: str) -> bool:
        """See `Storage.exists`."""
        try:
            with translated():
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        except MissingObjectError:
            return False
        return True

    def delete(self, key: str) -> None:
        """See `Storage.delete`."""
        with translated():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def check(self) -> None:
        """See `Storage.check`."""
        try:
            with translated():
                self._client.head_bucket(Bucket=self._bucket)
        except MissingObjectError as error:
            _LOG.error("there is no bucket %s", self._bucket)
            raise StorageError("The bucket of the settings does not exist.") from error

    def make_bucket(self) -> None:
        """Make the bucket where there is none. Raises StorageError where that is not ours to do."""
        try:
            with translated():
                self._client.head_bucket(Bucket=self._bucket)
        except MissingObjectError:
            with translated():
                self._client.create_bucket(Bucket=self._bucket)


def _config(endpoint: str | None) -> Config:
    return Config(
        signature_version="s3v4",  # the older one seals neither length nor checksum of what others send
        retries={"max_attempts": 4, "mode": "standard"},
        connect_timeout=5,
        read_timeout=60,
        s3={"addressing_style": "path"} if endpoint else {},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


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
