"""The errors of an S3-compatible server, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from server.errors import MissingObjectError, MissingUploadError, StorageError

_MISSING = {"404", "NoSuchKey", "NotFound"}


@contextmanager
def translated() -> Iterator[None]:
    """Vendor errors become ours, once, here; the vendor's words stay in the chain, for the log alone."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "NoSuchUpload":
            raise MissingUploadError from error
        if code in _MISSING:
            raise MissingObjectError from error
        raise StorageError from error
    except BotoCoreError as error:
        raise StorageError from error
