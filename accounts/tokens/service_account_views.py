"""The page of a fleet's service accounts, for owners."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity_check import ask_identity
from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404
from accounts.tokens.forms import ServiceAccountForm
from accounts.tokens.scopes import TokenScope
from accounts.tokens.service_accounts import create_service_account, list_service_accounts
from accounts.tokens.services import IssuedToken, revoke_token

_SHOWN = 200


@never_cache
@sensitive_post_parameters("password", "credential")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def service_accounts(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the service accounts and creates new ones. Only the response to the form shows the new token."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.ADMINISTER)
    form = ServiceAccountForm(request.POST or None)
    if request.method != "POST":
        return _page(request, membership, form)
    if not form.is_valid():
        return _page(request, membership, form, status=400)
    back = reverse("accounts:service_accounts", args=[slug])
    if (asked := ask_identity(request, user=membership.user, back=back)) is not None:
        return asked
    created = create_service_account(
        fleet=membership.fleet,
        actor=membership.user,
        name=form.cleaned_data["name"],
        scopes=[TokenScope(scope) for scope in form.cleaned_data["scopes"]],
        expires_at=timezone.now() + timedelta(days=form.cleaned_data["days"]),
    )
    return _page(request, membership, ServiceAccountForm(), issued=created)


@sensitive_variables()
def _page(
    request: HttpRequest,
    membership: Membership,
    form: ServiceAccountForm,
    *,
    issued: IssuedToken | None = None,
    status: int = 200,
) -> HttpResponse:
    accounts = list_service_accounts(fleet=membership.fleet)[:_SHOWN]
    context = {
        "fleet": membership.fleet,
        "form": form,
        "issued": issued,
        "chosen": form["scopes"].value() or [TokenScope.VEHICLES_READ],
        "always": TokenScope.VEHICLES_READ,
        "service_accounts": [
            (account, [TokenScope(scope).label for scope in account.scopes if scope in TokenScope.values])
            for account in accounts
        ],
    }
    return render(request, "accounts/service_accounts.html", context, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """Revokes a service account's token."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.ADMINISTER)
    account = list_service_accounts(fleet=membership.fleet).filter(pk=token_id).first()
    if account is None:
        raise Http404("There is no such service account in this fleet.")
    if revoke_token(token=account, actor=membership.user):
        text = _("The service account “%(name)s” is revoked. Its token no longer works.")
        messages.success(request, text % {"name": account.name})
    else:
        messages.error(
            request, _("The service account “%(name)s” was already revoked.") % {"name": account.name}
        )
    return redirect("accounts:service_accounts", slug=slug)
