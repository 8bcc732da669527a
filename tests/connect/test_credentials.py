"""Checks of Smartcar's four credentials: which one is missing, wrong, or swapped with another."""

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


def results(api_version: SmartcarApiVersion = SmartcarApiVersion.V3) -> dict[str, CheckResult]:
    checks = credential_check.check_credentials(
        application=applications.default_application(), api_version=api_version
    )
    return {finding.setting: finding for finding in checks}


def statuses(api_version: SmartcarApiVersion = SmartcarApiVersion.V3) -> dict[str, CheckStatus]:
    return {setting: finding.verdict for setting, finding in results(api_version).items()}


@pytest.mark.parametrize("api_version", list(SmartcarApiVersion))
def test_valid_credentials_all_pass(webhook: str, api_version: SmartcarApiVersion) -> None:
    assert set(statuses(api_version).values()) == {CheckStatus.RIGHT}


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
def test_wrong_credential_is_reported(webhook: str, settings: Settings, setting: str, value: object) -> None:
    setattr(settings, setting, value)
    assert results()[setting].verdict == CheckStatus.WRONG
    assert results()[setting].text.endswith(".")


def test_application_id_of_another_application_is_detected(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_APPLICATION_ID = "0b0b0b0b-0000-4000-8000-000000000000"
    assert results()[ID].verdict == CheckStatus.WRONG
    assert "The API credentials belong to a different application" in results()[ID].text


@pytest.mark.parametrize(
    ("setting", "value"), [(CLIENT_ID, ""), (CLIENT_SECRET, ""), (TOKENS, []), (WEBHOOK, ""), (ID, "")]
)
def test_missing_credential_is_reported(
    webhook: str, settings: Settings, setting: str, value: object
) -> None:
    setattr(settings, setting, value)
    assert results()[setting].verdict == CheckStatus.MISSING


def test_credentials_of_the_other_api_version_may_be_missing(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_APPLICATION_SECRET = ""
    assert statuses(SmartcarApiVersion.V3)[SECRET] == CheckStatus.SPARE
    assert statuses(SmartcarApiVersion.V3)[ID] == CheckStatus.RIGHT
    assert statuses(SmartcarApiVersion.V2)[SECRET] == CheckStatus.MISSING


def test_application_id_in_place_of_the_client_id_is_detected(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_CLIENT_ID = settings.SMARTCAR_APPLICATION_ID
    assert results()[CLIENT_ID].verdict == CheckStatus.SWAPPED
    assert "looks like an application ID" in results()[CLIENT_ID].text


def test_client_id_in_place_of_the_application_id_is_detected(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_APPLICATION_ID = settings.SMARTCAR_CLIENT_ID
    assert results()[ID].verdict == CheckStatus.SWAPPED


def test_swapped_secrets_are_detected(webhook: str, settings: Settings) -> None:
    one, other = settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_CLIENT_SECRET
    settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_CLIENT_SECRET = other, one
    found = results()
    assert (found[SECRET].verdict, found[CLIENT_SECRET].verdict) == (CheckStatus.SWAPPED, CheckStatus.SWAPPED)
    assert "The client secret field contains" in found[SECRET].text


def test_management_token_in_place_of_the_secret_is_detected(webhook: str, settings: Settings) -> None:
    secret, (token,) = settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_MANAGEMENT_TOKENS
    settings.SMARTCAR_APPLICATION_SECRET, settings.SMARTCAR_MANAGEMENT_TOKENS = token, [secret]
    found = results()
    assert (found[SECRET].verdict, found[TOKENS].verdict) == (CheckStatus.SWAPPED, CheckStatus.SWAPPED)
    assert "The application secret field contains" in found[TOKENS].text


def test_each_management_token_is_checked(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = [*settings.SMARTCAR_MANAGEMENT_TOKENS, "old"]
    found = credential_check.check_credentials(
        application=applications.default_application(), api_version=SmartcarApiVersion.V3
    )
    tokens = [finding.verdict for finding in found if finding.setting == TOKENS]
    assert tokens == [CheckStatus.RIGHT, CheckStatus.WRONG]


def test_webhook_with_another_address_or_turned_off_is_reported(webhook: str, settings: Settings) -> None:
    address = f"{webhook}/control/webhooks/{settings.SMARTCAR_WEBHOOK_ID}"
    httpx.patch(address, json={"enabled": False}, timeout=10).raise_for_status()
    assert "is disabled" in results()[WEBHOOK].text
    httpx.patch(address, json={"enabled": True}, timeout=10).raise_for_status()
    settings.SITE_URL = "https://elsewhere.example"
    assert "delivers to a URL other than" in results()[WEBHOOK].text


def test_other_id_in_place_of_the_webhook_id_is_detected(webhook: str, settings: Settings) -> None:
    settings.SMARTCAR_WEBHOOK_ID = settings.SMARTCAR_APPLICATION_ID
    assert results()[WEBHOOK].verdict == CheckStatus.SWAPPED


def test_nothing_is_reported_as_wrong_without_an_answer(settings: Settings) -> None:
    nowhere = "http://127.0.0.1:1"
    settings.SMARTCAR_ORIGINS = dict.fromkeys(django_settings.SMARTCAR_ORIGINS, nowhere)
    assert set(statuses().values()) == {CheckStatus.UNKNOWN}


def test_no_secret_is_shown_or_logged(
    webhook: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.SMARTCAR_CLIENT_SECRET = wrong = token_urlsafe(24)
    output = (
        repr(
            credential_check.check_credentials(
                application=applications.default_application(), api_version=SmartcarApiVersion.V3
            )
        )
        + caplog.text
    )
    secrets = [wrong, settings.SMARTCAR_APPLICATION_SECRET, *settings.SMARTCAR_MANAGEMENT_TOKENS]
    assert not [secret for secret in secrets if secret in output]


def test_command_reports_on_every_application_and_fails_if_one_is_wrong(
    webhook: str, settings: Settings
) -> None:
    output = StringIO()
    call_command("test_credentials", stdout=output)
    assert output.getvalue().count("right") == 6
    second = second_application(webhook)
    output = StringIO()
    with pytest.raises(
        CommandError,
        match="need a look",
    ):
        call_command("test_credentials", stdout=output)
    assert "Application Second" in output.getvalue()
    assert "has no webhook with this ID" in output.getvalue()
    assert second.application_id not in output.getvalue()
    with pytest.raises(CommandError, match="no application"):
        call_command("test_credentials", "--application", "Third")
