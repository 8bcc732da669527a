"""Telling Smartcar's four credentials apart: which is missing, wrong, or in another's place."""

import logging
from io import StringIO
from secrets import token_urlsafe

import httpx
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import SmartcarApiVersion
from connect import applications
from connect.applications import credential_check
from connect.applications.credential_check import CheckResult, CheckStatus
from tests.connect.second import second_application
from tests.smartcar import register_webhook

pytestmark = pytest.mark.django_db
ID, SECRET = "SMARTCAR_APPLICATION_ID", "SMARTCAR_APPLICATION_SECRET"
CLIENT_ID, CLIENT_SECRET = "SMARTCAR_CLIENT_ID", "SMARTCAR_CLIENT_SECRET"
TOKENS, WEBHOOK = "SMARTCAR_MANAGEMENT_TOKENS", "SMARTCAR_WEBHOOK_ID"


@pytest.fixture
def webhook(smartcar: str, live_server: object, settings: Settings) -> str:
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    return smartcar


def findings(api_version: SmartcarApiVersion = SmartcarApiVersion.V3) -> dict[str, CheckResult]:
    found = credential_check.check_credentials(
        application=applications.default_application(), api_version=api_version
    )
    return {finding.setting: finding for finding in found}


def verdicts(api_version: SmartcarApiVersion = SmartcarApiVersion.V3) -> dict[str, CheckStatus]:
    return {setting: finding.verdict for setting, finding in findings(api_version).items()}


@pytest.mark.parametrize("api_version", list(SmartcarApiVersion))
def test_right_credentials_are_all_found_right(webhook: str, api_version: SmartcarApiVersion) -> None:
    assert set(verdicts(api_version).values()) == {CheckStatus.RIGHT}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (SECRET, "wrong"),
        (CLIENT_SECRET, "wrong"),
        (CLIENT_ID, "client_wrong"),
        (TOKENS, ["wrong"]),
        (WEBHOOK, "0b0b0b0b-0000-4000-8000-000000000000"),
        (ID, "not a UUID"),
    ],
)
def test_the_wrong_one_is_named(webhook: str, settings: Settings, setting: str, value: object) -> None:
    setattr(settings, setting, value)
    assert findings()[setting].verdict == CheckStatus.WRONG
    assert findings()[setting].text.endswith(".")


def test_an_application_id_of_another_application_is_told_by_the_api_credentials(
    webhook: str, settings: Settings
) -> None:
    settings.SMARTCAR_APPLICATION_ID = "0b0b0b0b-0000-4000-8000-000000000000"
    assert findings()[ID].verdict == CheckStatus.WRONG
    assert "The API credentials belong to a different application" in findings()[ID].text


@pytest.mark.parametrize(
    ("setting", "value"), [(CLIENT_ID, ""), (CLIENT_SECRET, ""), (TOKENS, []), (WEBHOOK, ""), (ID, "")]
)
def test_the_missing_one_is_named(webhook: str, settings: Settings, setting: str, value: object) -> None:
    setattr(settings, setting, value)
    assert findings()[setting].verdict == CheckStatus.MISSING


def test_what_only_the_other_generation_needs_may_be_missing(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_APPLICATION_SECRET = ""
    assert verdicts(SmartcarApiVersion.V3)[SECRET] == CheckStatus.SPARE
    assert verdicts(SmartcarApiVersion.V3)[ID] == CheckStatus.RIGHT
    assert verdicts(SmartcarApiVersion.V2)[SECRET] == CheckStatus.MISSING


def test_an_application_id_where_the_client_id_belongs_is_recognised(
    webhook: str, settings: Settings
) -> None:
    settings.SMARTCAR_CLIENT_ID = settings.SMARTCAR_APPLICATION_ID
    assert findings()[CLIENT_ID].verdict == CheckStatus.SWAPPED
    assert "looks like an application ID" in findings()[CLIENT_ID].text


def test_a_client_id_where_the_application_id_belongs_is_recognised(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_APPLICATION_ID = settings.SMARTCAR_CLIENT_ID
    assert findings()[ID].verdict == CheckStatus.SWAPPED


def test_two_secrets_in_each_others_place_are_recognised(webhook: str, settings: Settings) -> None:
    one, other = settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_CLIENT_SECRET
    settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_CLIENT_SECRET = other, one
    found = findings()
    assert (found[SECRET].verdict, found[CLIENT_SECRET].verdict) == (CheckStatus.SWAPPED, CheckStatus.SWAPPED)
    assert "The client secret field contains" in found[SECRET].text


def test_a_management_token_in_the_place_of_the_secret_is_recognised(
    webhook: str, settings: Settings
) -> None:
    secret, (token,) = settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_MANAGEMENT_TOKENS
    settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_MANAGEMENT_TOKENS = token, [secret]
    found = findings()
    assert (found[SECRET].verdict, found[TOKENS].verdict) == (CheckStatus.SWAPPED, CheckStatus.SWAPPED)
    assert "The application secret field contains" in found[TOKENS].text


def test_each_of_several_management_tokens_is_looked_at(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = [*settings.SMARTCAR_MANAGEMENT_TOKENS, "old"]
    found = credential_check.check_credentials(
        application=applications.default_application(), api_version=SmartcarApiVersion.V3
    )
    tokens = [finding.verdict for finding in found if finding.setting == TOKENS]
    assert tokens == [CheckStatus.RIGHT, CheckStatus.WRONG]


def test_a_webhook_that_delivers_elsewhere_or_is_off_is_named(webhook: str, settings: Settings) -> None:
    address = f"{webhook}/control/webhooks/{settings.SMARTCAR_WEBHOOK_ID}"
    httpx.patch(address, json={"enabled": False}, timeout=10).raise_for_status()
    assert "is disabled" in findings()[WEBHOOK].text
    httpx.patch(address, json={"enabled": True}, timeout=10).raise_for_status()
    settings.SITE_URL = "https://elsewhere.example"
    assert "delivers to a URL other than" in findings()[WEBHOOK].text


def test_an_id_of_another_kind_as_the_webhooks_is_recognised(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_WEBHOOK_ID = settings.SMARTCAR_APPLICATION_ID
    assert findings()[WEBHOOK].verdict == CheckStatus.SWAPPED


def test_without_an_answer_nothing_is_called_wrong(settings: Settings) -> None:
    nowhere = "http://127.0.0.1:1"
    settings.SMARTCAR_ORIGINS = dict.fromkeys(django_settings.SMARTCAR_ORIGINS, nowhere)
    assert set(verdicts().values()) == {CheckStatus.UNKNOWN}


def test_no_secret_is_shown_or_logged(
    webhook: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.SMARTCAR_CLIENT_SECRET = wrong = token_urlsafe(24)
    told = (
        repr(
            credential_check.check_credentials(
                application=applications.default_application(), api_version=SmartcarApiVersion.V3
            )
        )
        + caplog.text
    )
    secrets = [wrong, settings.SMARTCAR_APPLICATION_SECRET, *settings.SMARTCAR_MANAGEMENT_TOKENS]
    assert not [secret for secret in secrets if secret in told]


def test_the_command_tells_of_every_application_and_fails_when_one_is_wrong(
    webhook: str, settings: Settings
) -> None:
    out = StringIO()
    call_command("test_credentials", stdout=out)
    assert out.getvalue().count("right") == 6
    second = second_application(webhook)
    out = StringIO()
    with pytest.raises(
        CommandError,
        match="need a look",
    ):
        call_command("test_credentials", stdout=out)
    assert "Application Second" in out.getvalue()
    assert "has no webhook with this ID" in out.getvalue()
    assert second.application_id not in out.getvalue()
    with pytest.raises(CommandError, match="no application"):
        call_command("test_credentials", "--application", "Third")
