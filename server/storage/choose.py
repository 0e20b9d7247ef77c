"""Which storage the settings name."""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr

from server.errors import ConfigurationError
from server.settings import Settings
from server.storage.local import LocalStorage
from server.storage.port import Storage


def storage_of(settings: Settings) -> Storage:
    """The S3 bucket if one is named, else the local directory."""
    if settings.s3_bucket is not None:
        from server.storage.s3 import S3Storage  # boto3 takes a while to import

        return S3Storage(
            bucket=settings.s3_bucket,
            endpoint_url=settings.s3_endpoint_url,
            region=settings.s3_region,
            access_key_id=_open(settings.s3_access_key_id),
            secret_access_key=_open(settings.s3_secret_access_key),
            prefix=settings.s3_prefix,
            public_endpoint_url=settings.s3_public_endpoint_url,
        )
    if settings.storage_dir is None:
        raise ConfigurationError("Name a storage: GSI_STORAGE_DIR or GSI_S3_BUCKET.")
    return LocalStorage(settings.storage_dir, url_key=_url_key(settings))


def _url_key(settings: Settings) -> bytes:
    """A key for this one use: a seal of a URL must never be good for anything else that the secret key seals."""
    secret = settings.secret_key.get_secret_value().encode()
    return hmac.new(secret, b"urls of parts", hashlib.sha256).digest()


def _open(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
