"""System checks report configuration mistakes with a hint."""

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from fleet import checks


def ids(found: list[CheckMessage]) -> list[str | None]:
    return [problem.id for problem in found]


def test_valid_settings_pass() -> None:
    for check in (
        checks.encryption_keys,
        checks.smartcar_choices,
        checks.smartcar_credentials,
        checks.client_id_kind,
    ):
        assert check() == []


@pytest.mark.parametrize("keys", [[], ["not a key"]])
def test_missing_or_malformed_encryption_keys_are_an_error(settings: Settings, keys: list[str]) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys
    assert ids(checks.encryption_keys()) == ["fleet.E001"]
    assert "not a key" not in str(checks.encryption_keys())


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [("SMARTCAR_API_VERSION", "v9", "fleet.E002"), ("SMARTCAR_MODE", "test", "fleet.E003")],
)
def test_an_unknown_api_version_or_mode_is_an_error(
    settings: Settings, name: str, value: str, problem: str
) -> None:
    setattr(settings, name, value)
    assert ids(checks.smartcar_choices()) == [problem]


def test_a_missing_credential_is_named(settings: Settings) -> None:
    settings.SMARTCAR_CLIENT_SECRET = ""
    (problem,) = checks.smartcar_credentials()
    assert "SMARTCAR_CLIENT_SECRET" in problem.msg


def test_an_application_id_used_as_client_id_is_a_warning(settings: Settings) -> None:
    settings.SMARTCAR_CLIENT_ID = settings.SMARTCAR_APPLICATION_ID
    assert ids(checks.client_id_kind()) == ["fleet.W002"]


@pytest.mark.parametrize(
    ("site", "problems"),
    [
        ("https://fleet.example.com", []),
        ("http://localhost:8000", []),
        ("http://fleet.example.com", ["fleet.W004"]),
        ("https://192.0.2.7", ["fleet.W004"]),
    ],
)
def test_a_site_url_without_passkey_support_is_a_warning(
    settings: Settings, site: str, problems: list[str]
) -> None:
    settings.SITE_URL = site
    assert ids(checks.passkeys_possible()) == problems


@pytest.mark.parametrize(("offered", "problems"), [(True, []), (False, ["fleet.W005"])])
def test_a_site_without_email_is_a_warning(settings: Settings, offered: bool, problems: list[str]) -> None:
    settings.EMAIL_ENABLED = offered
    assert ids(checks.passwords_resettable()) == problems


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://h:6380/0", "unix:///run/redis.sock?db=0"])
def test_supported_redis_urls_pass(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url
    assert checks.redis_url() == []


@pytest.mark.parametrize(
    "url", ["sentinel://h:26379", "redis+sentinel://h/mymaster", "memcached://h", "h:6379"]
)
def test_other_redis_urls_are_an_error_without_the_password(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url.replace("//h", "//:secret@h")
    (problem,) = checks.redis_url()
    assert (problem.id, "secret" in str(problem)) == ("fleet.E005", False)
    assert ("Sentinel" in str(problem.hint)) == ("sentinel" in url)
