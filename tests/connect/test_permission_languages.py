"""The pages about permissions, requests to drivers and coverage are translated."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import Fleet, User
from connect.bulk_requests import services
from connect.compatibility import lookup
from connect.compatibility.limits import _LIMITS
from connect.coverage.selectors import OBSTACLES
from connect.permission_settings.reports import REPORTS
from connect.scopes import SCOPES
from connect.status.states import AuthorizationPurpose
from core.mail.models import OutgoingEmail
from smartcar_api import SmartcarError
from tests.connect.test_bulk_requests import portal, shared
from tests.connect.test_members_language import untranslated_on

pytestmark = pytest.mark.django_db
translated = pytest.mark.parametrize("language", ["de", "fr"])


@translated
@pytest.mark.usefixtures("mails")
def test_the_pages_are_translated(
    fleet: Fleet,
    owner: User,
    browser_of: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    def fail(**_: object) -> None:
        raise SmartcarError(type="UPSTREAM")

    monkeypatch.setattr(lookup, "compatible_models", fail)
    portal(fleet, "ann", "Dana", "dana@example.com")
    shared(fleet, "ann", scopes=["read_vin"])
    shared(fleet, "bob", make="FORD")
    asked = services.ask_drivers(fleet=fleet, purpose=AuthorizationPurpose.PERMISSIONS, user=owner)
    OutgoingEmail.objects.all().delete()
    base = "/fleets/blue/connections/"
    names = {"Tesla", "Ford", "Tesla M0", "· Blue Fleet", "· owner@fleet.example"}
    for path in ("permissions/", "coverage/", "compatibility/", "requests/", f"requests/{asked.pk}/"):
        assert untranslated_on(browser_of(owner), base + path, language) - names == set(), path


@translated
def test_what_pages_translate_is_translated(language: str) -> None:
    texts = [scope.title for scope in SCOPES] + [scope.reason for scope in SCOPES]
    texts += [scope.topic for scope in SCOPES] + [report.title for report in REPORTS]
    texts += [limit for limits in _LIMITS.values() for limit in limits] + list(OBSTACLES.values())
    with translation.override(language):
        same = {text for text in texts if translation.gettext(text) == text}
    assert same == set()
