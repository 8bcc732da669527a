"""Checks Smartcar's four credentials, and finds out which are missing, invalid or swapped.

Checks the format first, then each credential with Smartcar. Never shows a secret.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext_lazy
from django.views.decorators.debug import sensitive_variables

from accounts.models import SmartcarApiVersion
from connect.applications.registry import Application
from smartcar_api import Credentials, Origins, SmartcarError
from smartcar_api.credential_checks import Accepted, CredentialAnswer, Prober

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CLIENT = re.compile(r"client_", re.IGNORECASE)
# Credentials are identified by their English names.
_V2_ID, _V2_SECRET = gettext_noop("Application ID"), gettext_noop("Application secret")
_V3_ID = gettext_noop("Client ID (API credentials)")
_V3_SECRET = gettext_noop("Client secret (API credentials)")
_TOKEN, _WEBHOOK = gettext_noop("Application management token"), gettext_noop("Webhook ID")
_WHERE = {
    _V2_ID: gettext_noop(
        "Find it in the Smartcar dashboard under the application's details. The ID is a UUID."
    ),
    _V2_SECRET: gettext_noop(
        "The Smartcar dashboard shows the secret only once, next to the application ID."
    ),
    _V3_ID: gettext_noop(
        "Create one in the Smartcar dashboard under “API credentials”. Client IDs usually start with client_."
    ),
    _V3_SECRET: gettext_noop("The secret is shown only once, when you create the API credentials."),
    _TOKEN: gettext_noop("Find the token in the Smartcar dashboard under “Management API”."),
    _WEBHOOK: gettext_noop("Find the ID on the webhook's page in the Smartcar dashboard."),
}


class CheckStatus(models.TextChoices):
    """The result for a credential."""

    RIGHT = "right", pgettext_lazy("a credential", "Valid")
    WRONG = "wrong", pgettext_lazy("a credential", "Invalid")
    SWAPPED = "swapped", pgettext_lazy("a credential", "Swapped")
    MISSING = "missing", pgettext_lazy("a credential", "Missing")
    SPARE = "not needed", pgettext_lazy("a credential", "Not needed")
    UNKNOWN = "not checked", pgettext_lazy("a credential", "Not checked")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result for one credential; `text` is the reason and the next step, in the active language."""

    credential: str
    setting: str
    verdict: CheckStatus
    text: str

    @property
    def name(self) -> str:
        """The credential's name in the active language."""
        return _(self.credential)

    @property
    def good(self) -> bool:
        return self.verdict in (CheckStatus.RIGHT, CheckStatus.SPARE)


def verify_credentials(findings: Iterable[CheckResult]) -> bool:
    """Returns whether Smartcar accepts all credentials that the fleet needs. The webhook ID doesn't count."""
    return all(finding.good for finding in findings if finding.credential != _WEBHOOK)


@sensitive_variables()
def check_credentials(*, application: Application, api_version: str) -> list[CheckResult]:
    """Returns a result for each credential of the application, for a fleet on this API version.

    Sends up to a dozen requests to Smartcar, each of which may take seconds. They count toward no limit and change
    nothing.
    """
    return _CredentialCheck(application, api_version).findings()


class _CredentialCheck:
    """A check of one application's credentials."""

    def __init__(self, application: Application, api_version: str) -> None:
        self._credentials: Credentials = application.credentials
        self._webhook_id = application.webhook_id
        self._own = application.row is None
        self._v2_needed = api_version == SmartcarApiVersion.V2
        self._prober = Prober(origins=Origins(**settings.SMARTCAR_ORIGINS))

    @sensitive_variables()
    def findings(self) -> list[CheckResult]:
        v3 = self._v3()
        return [*self._v2(v3[1].verdict == CheckStatus.RIGHT), *v3, *self._tokens(), self._webhook(v3)]

    # -- v2: application id and secret ---------------------------------------------------------------------------

    @sensitive_variables()
    def _v2(self, v3_works: bool) -> list[CheckResult]:
        credentials, spare = self._credentials, not self._v2_needed
        if not credentials.application_id:
            return [
                self._missing(_V2_ID, "SMARTCAR_APPLICATION_ID"),
                self._missing(_V2_SECRET, "SMARTCAR_APPLICATION_SECRET", spare=spare),
            ]
        if _CLIENT.match(credentials.application_id) or credentials.application_id == credentials.client_id:
            wrong = _with_location(_("This looks like the client ID of the API credentials."), _V2_ID)
            return [
                self._result(_V2_ID, "SMARTCAR_APPLICATION_ID", CheckStatus.SWAPPED, wrong),
                self._unknown(_V2_SECRET, "SMARTCAR_APPLICATION_SECRET", _("Fix the application ID first.")),
            ]
        if not credentials.application_secret:
            return [
                self._listed_application(v3_works),
                self._missing(_V2_SECRET, "SMARTCAR_APPLICATION_SECRET", spare=spare),
            ]
        answer = self._prober.v2(credentials)
        if answer.accepted == Accepted.NO:
            return [self._listed_application(v3_works), self._wrong_secret()]
        return [
            self._from_answer(
                _V2_ID, "SMARTCAR_APPLICATION_ID", answer, _("Smartcar accepts this ID with its secret.")
            ),
            self._from_answer(
                _V2_SECRET,
                "SMARTCAR_APPLICATION_SECRET",
                answer,
                _("Smartcar issues v2 tokens for this secret."),
            ),
        ]

    @sensitive_variables()
    def _wrong_secret(self) -> CheckResult:
        for name, secret in self._other_secrets(self._credentials.application_secret):
            if (
                self._prober.v2(replace(self._credentials, application_secret=secret)).accepted
                == Accepted.YES
            ):
                return self._result(
                    _V2_SECRET,
                    "SMARTCAR_APPLICATION_SECRET",
                    CheckStatus.SWAPPED,
                    _(
                        "The %(name)s field contains the application secret. Enter each value in its own field."
                    )
                    % {"name": name},
                )
        return self._result(
            _V2_SECRET,
            "SMARTCAR_APPLICATION_SECRET",
            CheckStatus.WRONG,
            _with_location(_("Smartcar rejects the application ID with this secret."), _V2_SECRET),
        )

    @sensitive_variables()
    def _listed_application(self, v3_works: bool) -> CheckResult:
        """Checks the application ID alone, with v3's management API, which knows the API credentials' application."""
        if not _UUID.fullmatch(self._credentials.application_id):
            shape = _with_location(_("Invalid format."), _V2_ID)
            return self._result(_V2_ID, "SMARTCAR_APPLICATION_ID", CheckStatus.WRONG, shape)
        if not v3_works:
            return self._unknown(
                _V2_ID,
                "SMARTCAR_APPLICATION_ID",
                _(
                    "The format is valid. Smartcar can verify the ID only with its secret or with valid "
                    "API credentials."
                ),
            )
        try:
            known = self._prober.applications(self._credentials)
        except SmartcarError as error:
            return self._unknown(_V2_ID, "SMARTCAR_APPLICATION_ID", error.user_message)
        if self._credentials.application_id in known or not known:
            return self._result(
                _V2_ID,
                "SMARTCAR_APPLICATION_ID",
                CheckStatus.RIGHT,
                _("The API credentials belong to this application."),
            )
        return self._result(
            _V2_ID,
            "SMARTCAR_APPLICATION_ID",
            CheckStatus.WRONG,
            _with_location(_("The API credentials belong to a different application."), _V2_ID),
        )

    # -- v3: client id and secret --------------------------------------------------------------------------------

    @sensitive_variables()
    def _v3(self) -> list[CheckResult]:
        credentials, spare = self._credentials, self._v2_needed
        if not credentials.client_id or not credentials.client_secret:
            return [
                self._missing(name, setting, spare=spare)
                if not value
                else self._unknown(
                    name,
                    setting,
                    _("The client ID and client secret work only together, and one of them is missing."),
                )
                for name, setting, value in (
                    (_V3_ID, "SMARTCAR_CLIENT_ID", credentials.client_id),
                    (_V3_SECRET, "SMARTCAR_CLIENT_SECRET", credentials.client_secret),
                )
            ]
        answer = self._prober.v3(credentials)
        if answer.accepted == Accepted.NO:
            return self._wrong_client()
        return [
            self._from_answer(
                _V3_ID, "SMARTCAR_CLIENT_ID", answer, _("Smartcar accepts this ID with its secret.")
            ),
            self._from_answer(
                _V3_SECRET,
                "SMARTCAR_CLIENT_SECRET",
                answer,
                _("Smartcar issues the v3 token for this secret."),
            ),
        ]

    @sensitive_variables()
    def _wrong_client(self) -> list[CheckResult]:
        credentials = self._credentials
        if credentials.client_id == credentials.application_id or _UUID.fullmatch(credentials.client_id):
            swapped = _with_location(
                _("This looks like an application ID. v3 requires a different ID."), _V3_ID
            )
            return [
                self._result(_V3_ID, "SMARTCAR_CLIENT_ID", CheckStatus.SWAPPED, swapped),
                self._unknown(_V3_SECRET, "SMARTCAR_CLIENT_SECRET", _("Fix the client ID first.")),
            ]
        for name, secret in self._other_secrets(credentials.client_secret):
            if self._prober.v3(replace(credentials, client_secret=secret)).accepted == Accepted.YES:
                text = _(
                    "The %(name)s field contains the client secret. Enter each value in its own field."
                ) % {"name": name}
                return [
                    self._result(
                        _V3_ID,
                        "SMARTCAR_CLIENT_ID",
                        CheckStatus.RIGHT,
                        _("Smartcar accepts this ID with its secret."),
                    ),
                    self._result(_V3_SECRET, "SMARTCAR_CLIENT_SECRET", CheckStatus.SWAPPED, text),
                ]
        text = _("Smartcar rejects the client ID with this secret: one of them is incorrect.")
        return [
            self._result(_V3_ID, "SMARTCAR_CLIENT_ID", CheckStatus.WRONG, _with_location(text, _V3_ID)),
            self._result(
                _V3_SECRET, "SMARTCAR_CLIENT_SECRET", CheckStatus.WRONG, _with_location(text, _V3_SECRET)
            ),
        ]

    # -- management tokens and webhook ---------------------------------------------------------------------------

    @sensitive_variables()
    def _tokens(self) -> list[CheckResult]:
        setting = "SMARTCAR_MANAGEMENT_TOKENS"
        tokens = self._credentials.management_tokens
        if not tokens:
            return [self._missing(_TOKEN, setting)]
        findings = []
        for number, token in enumerate(tokens, 1):
            name = _TOKEN
            if len(tokens) > 1:
                named = {"number": number, "count": len(tokens)}
                name = _("Application management token %(number)s of %(count)s") % named
            answer = self._prober.management(token)
            if answer.accepted == Accepted.NO:
                findings.append(self._wrong_token(name, setting, token))
            else:
                findings.append(
                    self._from_answer(
                        name, setting, answer, _("This token signs the application's deliveries.")
                    )
                )
        return findings

    @sensitive_variables()
    def _wrong_token(self, name: str, setting: str, token: str) -> CheckResult:
        for other, secret in self._other_secrets(token):
            in_place = secret in self._credentials.management_tokens
            if not in_place and self._prober.management(secret).accepted == Accepted.YES:
                text = _(
                    "The %(name)s field contains a management token. Enter each value in its own field."
                ) % {"name": other}
                return self._result(name, setting, CheckStatus.SWAPPED, text)
        text = _with_location(
            _("Smartcar rejects this token, so deliveries signed with the correct token are rejected here."),
            _TOKEN,
        )
        return self._result(name, setting, CheckStatus.WRONG, text)

    @sensitive_variables()
    def _webhook(self, v3: list[CheckResult]) -> CheckResult:
        setting = "SMARTCAR_WEBHOOK_ID"
        if not self._webhook_id:
            return self._missing(_WEBHOOK, setting)
        if self._webhook_id in (self._credentials.application_id, self._credentials.client_id):
            text = _with_location(_("This is a different ID of the application."), _WEBHOOK)
            return self._result(_WEBHOOK, setting, CheckStatus.SWAPPED, text)
        if any(finding.verdict != CheckStatus.RIGHT for finding in v3):
            return self._unknown(
                _WEBHOOK, setting, _("Smartcar provides webhook details only with valid API credentials.")
            )
        try:
            found = self._prober.webhook(self._credentials, self._webhook_id)
        except SmartcarError as error:
            return self._unknown(_WEBHOOK, setting, error.user_message)
        if found is None:
            text = _with_location(_("This application has no webhook with this ID."), _WEBHOOK)
            return self._result(_WEBHOOK, setting, CheckStatus.WRONG, text)
        webhook_url = f"{settings.SITE_URL}/webhooks/smartcar/"
        if not found.enabled:
            text = _("The webhook “%(name)s” is disabled. Enable it in the Smartcar dashboard.") % {
                "name": found.name
            }
            return self._result(_WEBHOOK, setting, CheckStatus.WRONG, text)
        if found.address.rstrip("/") != webhook_url.rstrip("/"):
            text = _(
                "The webhook “%(name)s” delivers to a URL other than %(address)s. Change the URL in "
                "the Smartcar dashboard."
            ) % {"name": found.name, "address": webhook_url}
            return self._result(_WEBHOOK, setting, CheckStatus.WRONG, text)
        return self._result(
            _WEBHOOK,
            setting,
            CheckStatus.RIGHT,
            _("The webhook “%(name)s” delivers to this site.") % {"name": found.name},
        )

    # -- helpers -------------------------------------------------------------------------------------------------

    @sensitive_variables()
    def _other_secrets(self, value: str) -> list[tuple[str, str]]:
        """Returns the other secrets that are set, with their names."""
        credentials = self._credentials
        named = [
            (_("application secret"), credentials.application_secret),
            (_("client secret"), credentials.client_secret),
        ]
        named += [(_("management token"), token) for token in credentials.management_tokens]
        return [(name, secret) for name, secret in named if secret and secret != value]

    def _result(self, name: str, setting: str, verdict: CheckStatus, text: str) -> CheckResult:
        return CheckResult(name, setting if self._own else "", verdict, text)

    def _unknown(self, name: str, setting: str, text: str) -> CheckResult:
        return self._result(name, setting, CheckStatus.UNKNOWN, text)

    def _missing(self, name: str, setting: str, *, spare: bool = False) -> CheckResult:
        if spare:
            text = _("Not set. Needed only for v3.") if self._v2_needed else _("Not set. Needed only for v2.")
            return self._result(name, setting, CheckStatus.SPARE, text)
        return self._result(name, setting, CheckStatus.MISSING, _with_location(_("Not set."), name))

    def _from_answer(self, name: str, setting: str, answer: CredentialAnswer, right: str) -> CheckResult:
        if answer.accepted == Accepted.YES:
            return self._result(name, setting, CheckStatus.RIGHT, right)
        return self._unknown(name, setting, answer.reason)


def _with_location(text: str, credential: str) -> str:
    """Adds where to find the valid credential to the text."""
    return f"{text} {_(_WHERE[credential])}"
