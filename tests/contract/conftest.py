"""One S3-compatible server for all contract tests, and two ways to speak to it: ours and the vendor's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from server.storage.s3 import S3Storage
from tests.contract.seaweed import S3Server, running_s3


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def bucket(s3: S3Server) -> str:
    vendor_client(s3).create_bucket(Bucket="objects")
    return "objects"


def vendor_client(s3: S3Server, **changes: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=changes.get("key", s3.access_key_id),
        aws_secret_access_key=changes.get("secret", s3.secret_access_key),
        config=Config(retries={"max_attempts": 1}),
    )


def s3_storage(
    s3: S3Server,
    *,
    bucket: str,
    key: str | None = None,
    secret: str | None = None,
    prefix: str = "",
    public_endpoint_url: str | None = None,
) -> S3Storage:
    return S3Storage(
        bucket=bucket,
        endpoint_url=s3.endpoint_url,
        region="us-east-1",
        access_key_id=key or s3.access_key_id,
        secret_access_key=secret or s3.secret_access_key,
        prefix=prefix,
        public_endpoint_url=public_endpoint_url,
    )
