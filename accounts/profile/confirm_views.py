"""allauth's pages for reauthentication, with this project's limit on attempts."""

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import attempts, reauthentication
from accounts.attempts import Outcome
from accounts.models import User


class SignOutMixin:
    """Signs the user out when no attempts are left."""

    request: HttpRequest

    def form_invalid(self, form: Any) -> HttpResponse:
        if self.is_exhausted(form):
            messages.error(self.request, reauthentication.sign_out(self.request))
            return redirect("accounts:sign_in")
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        return response

    def is_exhausted(self, form: Any) -> bool:
        return bool(form.exhausted)


class ConfirmByPasswordView(SignOutMixin, ReauthenticateView):
    pass


class ConfirmByCodeView(SignOutMixin, ReauthenticateByCodeView):
    pass


class ConfirmByPasskeyView(SignOutMixin, ReauthenticateWebAuthnView):
    def is_exhausted(self, form: Any) -> bool:
        user: User = self.request.user  # type: ignore[assignment]  # the view needs a session
        outcome = attempts.record_failure(user=user, scope=attempts.REAUTHENTICATION)
        return outcome is Outcome.EXHAUSTED
