from __future__ import annotations

import json

import pytest
from pydantic import SecretStr, ValidationError

from server.errors import ConfigurationError
from server.settings import Settings, read_settings, unusable
from server.storage.choose import storage_of
from server.storage.local import LocalStorage
from server.storage.port import Part
from server.storage.s3 import S3Storage

GOOD = {"DATABASE_URL": "postgresql://x", "secret_key": "k" * 32, "storage_dir": "/nowhere"}


def test_the_defaults_are_those_of_a_closed_service():
    settings = Settings.model_validate(GOOD)
    assert not settings.development_login
    assert settings.max_attempts == 5


def test_a_file_of_instruments_that_is_not_there_is_refused_at_the_start(tmp_path):
    with pytest.raises(ValidationError, match="GSI_INSTRUMENTS: there is no file"):
        Settings.model_validate({**GOOD, "instruments": tmp_path / "absent.json"})


def test_instruments_and_a_key_that_are_set_to_nothing_are_not_set():
    settings = Settings.model_validate({**GOOD, "instruments": "", "judge_api_key": ""})
    assert (settings.instruments, settings.judge_api_key) == (None, None)


@pytest.mark.parametrize("name", ["DATABASE_URL", "secret_key", "storage_dir"])
def test_what_is_missing_is_named(name):
    with pytest.raises(ValidationError, match="(?i)storage" if name == "storage_dir" else name):
        Settings.model_validate({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("name", ["DATABASE_URL", "broker_url"])
@pytest.mark.parametrize("address", ["x://user:SECRET@host:port/n", "SECRET", "x://user:SECRET@[::1/n"])
def test_an_address_that_is_none_is_refused_and_not_repeated(name, address):
    with pytest.raises(ValidationError) as told:
        Settings.model_validate(
            {**GOOD, name: address.replace("x:", "redis:" if name == "broker_url" else "postgres:")}
        )
    assert "SECRET" not in str(told.value)
    (words,) = unusable(told.value)
    assert words.startswith((f"GSI_{name.upper()}: is not an address", f"{name}: is not an address"))


@pytest.mark.parametrize(
    "changes",
    [
        {"s3_public_endpoint_url": "files.example.org"},
        {"upload_part_bytes": 5 * 1024**2 - 1},
        {"upload_url_seconds": 8 * 24 * 3600},
    ],
)
def test_uploads_that_no_storage_would_take_are_refused_at_the_start(changes):
    (name,) = changes
    with pytest.raises(ValidationError) as told:
        Settings.model_validate({**GOOD, **changes})
    assert unusable(told.value)[0].startswith(f"GSI_{name.upper()}: ")


def test_an_archive_may_have_eight_gibibytes_and_urls_of_parts_have_a_key_of_their_own():
    settings = Settings.model_validate(GOOD)
    assert settings.max_archive_bytes == 8 * 1024**3
    part = Part(1, 1, "0" * 64)
    urls = {storage_of(settings).parts.sign("k", "u", part, seconds=10**6).url.rpartition("=")[2] for _ in range(2)}
    other = storage_of(settings.model_copy(update={"secret_key": SecretStr("another" * 9)}))
    assert len(urls) == 1
    assert other.parts.sign("k", "u", part, seconds=10**6).url.rpartition("=")[2] not in urls


@pytest.mark.parametrize("address", ["redis://:p@h:6379/0", "rediss://h", "amqp://u:p@h//", "amqps://h", "memory://"])
def test_the_brokers_that_the_queue_works_on_are_taken(address):
    assert Settings.model_validate({**GOOD, "broker_url": address}).broker_url.get_secret_value() == address


def test_a_broker_of_another_kind_is_refused():
    with pytest.raises(ValidationError, match="redis://"):
        Settings.model_validate({**GOOD, "broker_url": "http://h:1"})


@pytest.mark.parametrize(
    "address",
    [
        "postgresql:///n?host=%2Frun%2Fx",
        "postgresql://u:p%40s@[::1]:5432/n",
        "host=h port=5432",
        "postgresql://a:1,b:2/n",
    ],
)
def test_every_form_of_address_that_libpq_takes_is_taken(address):
    assert Settings.model_validate({**GOOD, "DATABASE_URL": address}).database_url.get_secret_value() == address


@pytest.mark.parametrize("address", ["example.org", "https://", "ftp://example.org", "https://u:p@example.org"])
def test_a_public_address_that_is_none_is_refused(address):
    with pytest.raises(ValidationError, match="https://host"):
        Settings.model_validate({**GOOD, "public_url": address})


def test_each_unusable_setting_is_named_as_it_is_set():
    with pytest.raises(ValidationError) as told:
        Settings.model_validate({"DATABASE_URL": "postgresql://x", "lease_seconds": -1, "storage_dir": "/x"})
    assert unusable(told.value) == [
        "GSI_SECRET_KEY: is not set",
        "GSI_LEASE_SECONDS: Input should be greater than 0",
    ]


def test_development_logins_are_refused_in_production():
    with pytest.raises(ValidationError, match="DEVELOPMENT_LOGIN"):
        Settings.model_validate({**GOOD, "environment": "production", "development_login": True})


def test_a_short_secret_is_refused_in_production():
    with pytest.raises(ValidationError, match="SECRET_KEY"):
        Settings.model_validate({**GOOD, "environment": "production", "secret_key": "short"})


def test_secrets_do_not_show_when_settings_are_printed():
    settings = Settings.model_validate({**GOOD, "DATABASE_URL": "postgresql://u:PASSWORD@h", "secret_key": "KEY" * 20})
    assert "PASSWORD" not in repr(settings)
    assert "KEYKEY" not in repr(settings)


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings.model_validate(GOOD).development_login = True


def test_the_storage_is_the_one_that_the_settings_name(tmp_path):
    local = Settings.model_validate({**GOOD, "storage_dir": tmp_path})
    assert isinstance(storage_of(local), LocalStorage)
    bucket = {**GOOD, "s3_bucket": "b", "s3_access_key_id": "k", "s3_secret_access_key": "s"}
    assert isinstance(storage_of(Settings.model_validate(bucket)), S3Storage)


def test_no_storage_is_an_error_for_the_operator():
    none = Settings.model_validate(GOOD).model_copy(update={"storage_dir": None})
    with pytest.raises(ConfigurationError, match="GSI_STORAGE_DIR"):
        storage_of(none)


PROVIDER = {"id": "uni", "title": "University", "issuer": "https://idp.example.org", "client_id": "c"}


def test_providers_come_from_the_environment_as_json(monkeypatch):
    for name, value in {"DATABASE_URL": "postgresql://x", "GSI_SECRET_KEY": "k" * 32, "GSI_STORAGE_DIR": "/x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GSI_OIDC_PROVIDERS", json.dumps([{**PROVIDER, "client_secret": "SECRET"}]))
    (found,) = read_settings().providers
    assert (found.title, found.client_secret.get_secret_value()) == ("University", "SECRET")


@pytest.mark.parametrize(
    ("providers", "words"),
    [
        ("SECRET", "is no JSON"),
        ([{**PROVIDER, "issuer": "http://idp.example.org"}], "must be https"),
        ([{**PROVIDER, "issuer": "idp.example.org"}], "is not an address"),
        ([{**PROVIDER, "id": "a/b"}], "pattern"),
        ([{**PROVIDER, "colour": "SECRET"}], "Extra inputs"),
        ([PROVIDER, PROVIDER], "same id"),
    ],
)
def test_a_provider_that_cannot_be_is_refused_and_not_repeated(providers, words):
    with pytest.raises(ValidationError) as told:
        Settings.model_validate({**GOOD, "oidc_providers": providers})
    (said,) = unusable(told.value)
    assert words in said
    assert "SECRET" not in said + str(told.value)


def test_maintainers_are_named_by_address_or_by_issuer_and_subject():
    known = Settings.model_validate({**GOOD, "maintainers": " Ada@Example.org , https://idp.test   Sub-1,"})
    assert known.named_maintainers == {"ada@example.org", "https://idp.test Sub-1"}
