"""The page of a fleet's API tokens. Members manage their own; an owner sees and revokes all of them.

A token works without further confirmation, so issuing one requires reauthentication.
"""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import reauthentication
from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from accounts.tokens import services
from accounts.tokens.forms import TokenForm
from accounts.tokens.selectors import list_tokens
from accounts.tokens.services import IssuedToken

_SHOWN = 200


@never_cache
@sensitive_post_parameters("password", "credential")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the tokens and issues new ones. Only the response to the form shows the new token."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    form = TokenForm(request.POST or None, initial={"days": "90"})
    if request.method != "POST":
        return _page(request, membership, form)
    if not form.is_valid() or not _confirmed(request, membership, form):
        if not request.user.is_authenticated:
            return redirect("accounts:sign_in")
        return _page(request, membership, form, status=400)
    days: int | None = form.cleaned_data["days"]
    expires_at = timezone.now() + timedelta(days=days) if days else None
    try:
        issued = services.issue_token(
            membership=membership,
            name=form.cleaned_data["name"],
            expires_at=expires_at,
            may_command=form.cleaned_data["may_command"],
        )
    except services.TokenNotAllowed as refusal:
        form.add_error("may_command", str(refusal))
        return _page(request, membership, form, status=400)
    return _page(request, membership, TokenForm(initial={"days": "90"}), issued=issued)


@sensitive_variables()
def _confirmed(request: HttpRequest, membership: Membership, form: TokenForm) -> bool:
    """Whether the user has reauthenticated. Adds a form error if not."""
    if reauthentication.is_recent(request):
        return True
    try:
        reauthentication.verify_from_post(request=request, user=membership.user)
    except reauthentication.ReauthenticationRequiredError as error:
        form.add_error("password", str(error))
        return False
    return True


@sensitive_variables()
def _page(
    request: HttpRequest,
    membership: Membership,
    form: TokenForm,
    *,
    issued: IssuedToken | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "fleet": membership.fleet,
        "form": form,
        "issued": issued,
        "tokens": list_tokens(membership=membership)[:_SHOWN],
        "sees_all": has_permission(membership=membership, right=Permission.ADMINISTER),
        "may_command": has_permission(membership=membership, right=Permission.COMMAND),
        "ways": None
        if reauthentication.is_recent(request)
        else reauthentication.available_methods(user=membership.user),
    }
    return render(request, "accounts/tokens.html", context, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """Revokes a token."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    token = list_tokens(membership=membership).filter(pk=token_id).first()
    if token is None:
        raise Http404("There is no such token among those that you may revoke.")
    if services.revoke_token(token=token, actor=membership.user):
        text = _("The token “%(name)s” is revoked and no longer works.")
        messages.success(request, text % {"name": token.name})
    else:
        messages.error(request, _("The token “%(name)s” was already revoked.") % {"name": token.name})
    return redirect("accounts:tokens", slug=slug)
