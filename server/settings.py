"""All settings, read once at the edge from the environment (prefix ``GSI_``); nothing else reads it."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from limits import parse
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scorer.installation import default_weights_folder
from server.addresses import is_broker_address, is_database_address, is_mail_server_address, is_web_address
from server.providers import OAuthProvider, OidcProvider, Provider, github, hugging_face

_SHORTEST_SECRET = 32
_ENCODE = "In a user's name and a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25."


class DatabaseSettings(BaseSettings):
    """Where the database is: all that is needed to bring it up to date."""

    model_config = SettingsConfigDict(env_prefix="GSI_", frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr = Field(validation_alias=AliasChoices("GSI_DATABASE_URL", "DATABASE_URL"))

    @field_validator("database_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr) -> SecretStr:
        if not is_database_address(value.get_secret_value()):
            raise ValueError(f"is not an address of the form postgresql://user:password@host:port/name. {_ENCODE}")
        return value


class Settings(DatabaseSettings):
    """How this installation is put together. Durations are seconds, sizes bytes."""

    environment: Literal["development", "production"] = "development"
    public_url: str = "http://127.0.0.1:8000"
    internal_url: str | None = None
    """Where the website's process reaches the API without going round by the public address."""

    database_pool_size: int = Field(default=10, ge=1, le=200)
    broker_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")

    storage_dir: Path | None = None
    s3_bucket: str | None = None
    s3_endpoint_url: str | None = None
    s3_public_endpoint_url: str | None = None
    """Where participants and browsers reach the bucket, if that is another address than the service's own."""
    s3_region: str = "us-east-1"
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None
    s3_prefix: str = ""

    secret_key: SecretStr
    """Keys the hashes of API tokens: whoever changes it ends every token."""
    development_login: bool = False
    """Anyone may sign in as any team and as maintainer: for one's own machine only."""

    huggingface_client_id: str | None = None
    huggingface_client_secret: SecretStr | None = None
    github_client_id: str | None = None
    github_client_secret: SecretStr | None = None
    oidc_providers: Annotated[tuple[OidcProvider, ...], NoDecode] = ()
    """Further OpenID Connect providers, as a JSON list."""
    oauth_providers: Annotated[tuple[OAuthProvider, ...], NoDecode] = ()
    """Further OAuth 2.0 providers, as a JSON list."""
    maintainers: str = ""
    """Who is maintainer from the start: verified e-mail addresses, or issuer and subject with a space, by commas."""
    session_days: int = Field(default=14, ge=1, le=365)
    token_days: int = Field(default=90, ge=1, le=3650)
    """The longest that an API token lasts, and how long it does when nothing shorter is asked for."""
    invitation_days: int = Field(default=7, ge=1, le=90)
    teams_of_a_user: int = Field(default=5, ge=1, le=1000)
    """How many teams one user may make: quotas belong to teams."""

    rate_limits_shared: bool = True
    """Whether counts are kept in the broker, where that is Redis; else each process counts for itself."""
    rate_limit_requests: str = "1200/minute"
    """For each token, session or (without one) address."""
    rate_limit_address: str = "2400/minute"
    """For each address, whatever tokens it sends."""
    rate_limit_sign_in: str = "30/minute"
    """Sign-ins begun or ended, for each address."""
    rate_limit_tokens: str = "20/hour"
    """Tokens and invitations made, for each token or session."""

    quota_per_day: int = Field(default=10, ge=0, le=1_000_000)
    """How many submissions a team may make to a benchmark in a UTC day, unless the benchmark has limits of its own."""
    quota_total: int = Field(default=1000, ge=0, le=1_000_000)
    """How many in all."""
    quota_at_once: int = Field(default=3, ge=0, le=1_000_000)
    """How many may be under way at once, from the beginning of the upload until the scores stand."""

    max_archive_bytes: int = Field(default=8 * 1024**3, ge=1024)
    upload_part_bytes: int = Field(default=16 * 1024**2, ge=5 * 1024**2, le=5 * 1024**3)
    """How large the parts of an upload are; S3 takes no smaller ones than the least of these and 10,000 at most."""
    upload_url_seconds: int = Field(default=3600, ge=60, le=7 * 24 * 3600)
    """How long the signed URL of a part is good."""
    upload_lifetime_seconds: int = Field(default=3 * 24 * 3600, ge=600)
    """How long an upload may take, pauses included; what has arrived by then of an unfinished one is thrown away."""
    idempotency_lifetime_seconds: int = Field(default=24 * 3600, ge=60)
    """How long a repeated request with the same Idempotency-Key gets the first one's answer."""
    uploads_at_once: int = Field(default=32, ge=1, le=1000)
    uploads_of_a_team: int = Field(default=3, ge=1, le=1000)
    upload_piece_seconds: float = Field(default=60, gt=0)
    """How long one megabyte of an upload may take; a slower sender is cut off."""
    upload_least_bytes_per_second: float = Field(default=128 * 1024, gt=0)
    """How fast an upload must be on average, once the time of one megabyte is over; a slower sender is cut off."""

    listeners_at_once: int = Field(default=500, ge=1, le=100_000)
    """How many may follow their submissions by server-sent events at once."""
    smtp_url: SecretStr | None = None
    """The mail server: smtp://user:password@host:port (STARTTLS where offered) or smtps://…; without it no e-mail."""
    mail_from: str = "gsi-bench@localhost"
    """Whom mails come from."""
    webhooks_to_private_addresses: bool = False
    """Whether webhooks may lead into this network; on a public service anybody could reach what stands there."""

    work_dir: Path = Path(tempfile.gettempdir()) / "gsi-work"
    lease_seconds: float = Field(default=60, gt=0)
    sweep_seconds: float = Field(default=5, gt=0)
    hint_seconds: float = Field(default=15, gt=0)
    """How long a queued job may wait before the sweep reminds the queue of it."""
    max_attempts: int = Field(default=5, ge=1, le=100)
    retry_seconds: float = Field(default=5, ge=0)
    """How long the second attempt waits; doubled for each further one."""
    longest_retry_seconds: float = Field(default=600, ge=0)
    upload_patience_seconds: float = Field(default=7 * 24 * 3600, gt=0)
    """How long a submission may wait for its archive before it ends."""
    chunk_samples: int = Field(default=16, ge=1, le=100_000)
    """How many samples may be measured and not yet committed: what a lost worker costs."""
    chunk_seconds: float = Field(default=30, gt=0)
    """How long measuring goes on until it is committed."""
    gate_timeout_seconds: float = Field(default=900, gt=0)
    score_timeout_seconds: float = Field(default=4 * 3600, gt=0)
    scorer_memory_bytes: int = Field(default=8 * 1024**3, ge=256 * 1024**2)
    scorer_threads: int = Field(default=1, ge=1, le=256)
    runner: Literal["auto", "container", "bubblewrap", "process"] = "auto"
    """What participants' files are decoded in (``server/scoring/choose_runner.py``)."""
    scorer_image: str | None = None
    """The scorer's image by digest, ``name@sha256:…`` or ``sha256:…``; the container engine must have it."""
    docker_host: str = "unix:///var/run/docker.sock"
    """Where the container engine listens."""
    scorer_processes: int = Field(default=256, ge=16, le=100_000)
    """How many processes and threads a scorer may have."""
    gpus: str = ""
    """The GPUs that scorers may have, by number or name, separated by commas."""
    instruments: Path | None = None
    """A JSON file that says where weights lie and which model judges; scorers read it (``scorer/instruments.py``)."""
    weights: Path = Field(default_factory=lambda: default_weights_folder(os.environ))
    """The folder of ``python -m scorer fetch-weights``, where the file of instruments names none."""
    judge_api_key: SecretStr | None = None
    """What scorers show the judge's endpoint."""

    @field_validator("public_url")
    @classmethod
    def _is_the_address_of_a_site(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError("is not an address of the form https://host or http://host:port")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _names_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value():  # a variable that is set to nothing
            return None
        if value is not None and not is_mail_server_address(value.get_secret_value()):
            raise ValueError(f"is not an address of the form smtp://user:password@host:port or smtps://…. {_ENCODE}")
        return value

    @field_validator("s3_public_endpoint_url")
    @classmethod
    def _is_the_address_of_a_bucket(cls, value: str | None) -> str | None:
        if value is not None and not is_web_address(value):
            raise ValueError("is not an address of the form https://host or http://host:port")
        return value

    @field_validator("broker_url")
    @classmethod
    def _names_a_broker(cls, value: SecretStr) -> SecretStr:
        if not is_broker_address(value.get_secret_value()):
            raise ValueError(f"is not an address of the form redis://:password@host:port/number or amqp://…. {_ENCODE}")
        return value

    @field_validator("instruments", "judge_api_key", mode="before")
    @classmethod
    def _set_to_nothing_is_not_set(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("scorer_image")
    @classmethod
    def _names_an_image_by_digest(cls, value: str | None) -> str | None:
        if not value:  # a variable that is set to nothing
            return None
        if not re.fullmatch(r"([^\s@]+@)?sha256:[0-9a-f]{64}", value):
            raise ValueError(
                "is not an image by digest, name@sha256:… or sha256:…; a tag can be moved to another image"
            )
        return value

    @field_validator("gpus")
    @classmethod
    def _names_gpus(cls, value: str) -> str:
        if not re.fullmatch(r"([A-Za-z0-9:_-]+(,[A-Za-z0-9:_-]+)*)?", value):
            raise ValueError("is not a list of GPUs such as 0,1")
        return value

    @field_validator("oidc_providers", "oauth_providers", mode="before")
    @classmethod
    def _is_a_list(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "[]")
        except ValueError:
            raise ValueError("is no JSON; write a list: [{...}]") from None

    @field_validator("rate_limit_requests", "rate_limit_address", "rate_limit_sign_in", "rate_limit_tokens")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        try:
            parse(value)
        except ValueError:
            raise ValueError("is not a rate of the form 600/minute or 20/hour") from None
        return value

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Where users may sign in, in the order of the site."""
        found: list[Provider] = []
        if self.huggingface_client_id:
            found.append(hugging_face(self.huggingface_client_id, self.huggingface_client_secret))
        if self.github_client_id:
            found.append(github(self.github_client_id, self.github_client_secret))
        return (*found, *self.oidc_providers, *self.oauth_providers)

    @property
    def named_maintainers(self) -> frozenset[str]:
        """Who is maintainer by the settings: e-mail addresses in lower case, and "issuer subject"."""
        entries = (" ".join(entry.split()) for entry in self.maintainers.split(","))
        return frozenset(entry if " " in entry else entry.casefold() for entry in entries if entry)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.storage_dir is None and self.s3_bucket is None:
            raise ValueError("name a storage: GSI_STORAGE_DIR (a directory) or GSI_S3_BUCKET")
        if self.instruments is not None and not self.instruments.is_file():
            raise ValueError(f"GSI_INSTRUMENTS: there is no file {self.instruments}")
        ids = [provider.id for provider in self.providers]
        if len(set(ids)) != len(ids):
            raise ValueError("two sign-in providers have the same id; give one of them another")
        if self.environment == "production":
            if self.runner == "process":
                raise ValueError(
                    "GSI_RUNNER=process hides nothing from participants' files and is refused in production"
                )
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


def read_database_settings() -> DatabaseSettings:
    """The database alone, from the environment. Raises pydantic.ValidationError."""
    return DatabaseSettings()  # type: ignore[call-arg]  # as above


def unusable(error: ValidationError) -> list[str]:
    """What is wrong with each setting, by the name under which an operator sets it; never a value."""
    found = []
    for wrong in error.errors(include_input=False, include_url=False, include_context=False):
        words = "is not set" if wrong["type"] == "missing" else wrong["msg"].removeprefix("Value error, ")
        name = "_".join(str(part) for part in wrong["loc"])
        name = name if name.isupper() or not name else f"GSI_{name}".upper()
        found.append(f"{name}: {words}" if name else words)
    return found
