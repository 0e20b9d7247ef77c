"""All settings, read once at the edge from the environment (prefix ``GSI_``); nothing else reads it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SHORTEST_SECRET = 32


class Settings(BaseSettings):
    """How this installation is put together. Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="GSI_", frozen=True, extra="ignore")

    environment: Literal["development", "production"] = "development"
    public_url: str = "http://127.0.0.1:8000"
    internal_url: str | None = None
    """Where the website's process reaches the API without going round by the public address."""

    database_url: SecretStr = Field(validation_alias=AliasChoices("GSI_DATABASE_URL", "DATABASE_URL"))
    database_pool_size: int = Field(default=10, ge=1, le=200)
    broker_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")

    storage_dir: Path | None = None
    s3_bucket: str | None = None
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None
    s3_prefix: str = ""

    secret_key: SecretStr
    """Keys the hashes of API tokens: whoever changes it ends every token."""
    development_login: bool = False
    """Anyone may sign in as any team and as maintainer: for one's own machine only."""

    max_archive_bytes: int = Field(default=1024**3, ge=1024)
    uploads_at_once: int = Field(default=32, ge=1, le=1000)
    uploads_of_a_team: int = Field(default=3, ge=1, le=1000)
    upload_piece_seconds: float = Field(default=60, gt=0)
    """How long one megabyte of an upload may take; a slower sender is cut off."""
    upload_least_bytes_per_second: float = Field(default=128 * 1024, gt=0)
    """How fast an upload must be on average, once the time of one megabyte is over; a slower sender is cut off."""

    work_dir: Path = Path(tempfile.gettempdir()) / "gsi-work"
    lease_seconds: float = Field(default=60, gt=0)
    sweep_seconds: float = Field(default=5, gt=0)
    hint_seconds: float = Field(default=15, gt=0)
    """How long a queued job may wait before the sweep reminds the queue of it."""
    max_attempts: int = Field(default=5, ge=1, le=100)
    gate_timeout_seconds: float = Field(default=900, gt=0)
    score_timeout_seconds: float = Field(default=4 * 3600, gt=0)
    scorer_memory_bytes: int = Field(default=8 * 1024**3, ge=256 * 1024**2)
    scorer_threads: int = Field(default=1, ge=1, le=256)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.storage_dir is None and self.s3_bucket is None:
            raise ValueError("name a storage: GSI_STORAGE_DIR (a directory) or GSI_S3_BUCKET")
        if self.environment == "production":
            if self.development_login:
                raise ValueError("GSI_DEVELOPMENT_LOGIN lets anyone in and is refused in production")
            if len(self.secret_key.get_secret_value()) < _SHORTEST_SECRET:
                raise ValueError(f"GSI_SECRET_KEY needs at least {_SHORTEST_SECRET} characters in production")
        return self


def read_settings() -> Settings:
    """Settings from the environment.

    Raises pydantic.ValidationError that names each missing or unusable one.
    """
    return Settings()  # type: ignore[call-arg]  # pydantic-settings reads them from the environment
