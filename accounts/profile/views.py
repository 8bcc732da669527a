"""The account page, and the project's variants of allauth's views."""

from typing import Any

from allauth.account.views import EmailView, PasswordResetView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import email_addresses, passkeys, sessions
from accounts.models import User
from accounts.profile.forms import ProfileForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Shows the user's account page and saves name, language and theme."""
    user = _current_user(request)
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        with translation.override(saved.language or translation.get_language_from_request(request)):
            messages.success(request, _("Saved."))
        return redirect("accounts:account")
    context = {"form": form, **_context(request, user)}
    return render(request, "accounts/account.html", context, status=400 if form.errors else 200)


def _context(request: HttpRequest, user: User) -> dict[str, Any]:
    factors = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    by_type = {factor.type: factor for factor in factors}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    return {
        "pending_address": email_addresses.pending_change(user=user),
        "email_offered": settings.EMAIL_ENABLED,
        "app": by_type.get(Authenticator.Type.TOTP),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes is not None else None,
        "passkeys": [factor for factor in factors if factor.type == Authenticator.Type.WEBAUTHN],
        "passkeys_possible": _passkeys_possible(request),
        "sessions": sessions.list_for(user=user, here=request.session.session_key),
    }


def _passkeys_possible(request: HttpRequest) -> bool:
    return passkeys.is_supported(host=request.get_host().partition(":")[0], secure=request.is_secure())


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one of the user's other sessions."""
    if not sessions.revoke(user=_current_user(request), pk=pk):
        raise Http404("There is no such session of yours; it may have ended.")
    messages.success(request, _("Signed out of that session."))
    return redirect("accounts:account")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Ends all of the user's sessions except the current one."""
    count = sessions.revoke_others(user=_current_user(request), here=request.session.session_key)
    text = ngettext(
        "Signed out of %(count)d other browser.",
        "Signed out of %(count)d other browsers.",
        count,
    )
    messages.success(request, text % {"count": count} if count else _("You weren't signed in anywhere else."))
    return redirect("accounts:account")


@never_cache
@login_required
@require_GET
def passkey_challenge(request: HttpRequest) -> HttpResponse:
    """Returns what one of the user's passkeys must sign for reauthentication."""
    return JsonResponse({"request_options": passkeys.challenge(user=_current_user(request))})


def password_reset(request: HttpRequest) -> HttpResponseBase:
    """Sends a password reset link if the address is known. The response is the same if not."""
    if not settings.EMAIL_ENABLED:
        return render(request, "accounts/no_mail.html")
    return PasswordResetView.as_view(template_name="accounts/password_forgotten.html")(request)


@login_required
def change_address(request: HttpRequest) -> HttpResponseBase:
    """Sends a confirmation link to a new address, which replaces the old one once the link is opened."""
    if not settings.EMAIL_ENABLED:
        return render(request, "accounts/no_mail.html")
    return EmailView.as_view(template_name="accounts/address.html")(request)


class AddPasskeyView(AddWebAuthnView):
    """Registers a discoverable passkey, which is sufficient to sign in."""

    template_name = "accounts/passkey_add.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": auth.begin_registration(_current_user(self.request), True)}
        return context | {"passkeys_possible": _passkeys_possible(self.request)}


def _current_user(request: HttpRequest) -> User:
    """Returns the signed-in user from the database. Only for views with login_required."""
    assert request.user.pk is not None
    return User.objects.get(pk=request.user.pk)
