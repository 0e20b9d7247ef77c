from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.errors import ConfigurationError
from server.settings import Settings
from server.storage.choose import storage_of
from server.storage.local import LocalStorage
from server.storage.s3 import S3Storage

GOOD = {"DATABASE_URL": "postgresql://x", "secret_key": "k" * 32, "storage_dir": "/nowhere"}


def test_the_defaults_are_those_of_a_closed_service():
    settings = Settings.model_validate(GOOD)
    assert not settings.development_login
    assert settings.max_attempts == 5


@pytest.mark.parametrize("name", ["DATABASE_URL", "secret_key", "storage_dir"])
def test_what_is_missing_is_named(name):
    with pytest.raises(ValidationError, match="(?i)storage" if name == "storage_dir" else name):
        Settings.model_validate({key: value for key, value in GOOD.items() if key != name})


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
