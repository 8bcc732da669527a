"""The page of a fleet's API tokens: members make and revoke their own, an owner sees and revokes everybody's."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Right, has_right, membership_for
from accounts.models import Membership
from accounts.tokens import services
from accounts.tokens.forms import TokenForm
from accounts.tokens.selectors import tokens_for
from accounts.tokens.services import Issued

_SHOWN = 200


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """The tokens, and the form that makes one. The answer to the form is the only page that shows the new token."""
    membership = membership_for(user=request.user, slug=slug, right=Right.VIEW)
    form = TokenForm(request.POST or None, initial={"days": "90"})
    if request.method != "POST":
        return _page(request, membership, form)
    if not form.is_valid():
        return _page(request, membership, form, status=400)
    days: int | None = form.cleaned_data["days"]
    expires_at = timezone.now() + timedelta(days=days) if days else None
    issued = services.issue(membership=membership, name=form.cleaned_data["name"], expires_at=expires_at)
    return _page(request, membership, TokenForm(initial={"days": "90"}), issued=issued)


@sensitive_variables()
def _page(
    request: HttpRequest,
    membership: Membership,
    form: TokenForm,
    *,
    issued: Issued | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "fleet": membership.fleet,
        "form": form,
        "issued": issued,
        "tokens": tokens_for(membership=membership)[:_SHOWN],
        "sees_all": has_right(membership=membership, right=Right.ADMINISTER),
    }
    return render(request, "accounts/tokens.html", context, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """Ends a token at once."""
    membership = membership_for(user=request.user, slug=slug, right=Right.VIEW)
    token = tokens_for(membership=membership).filter(pk=token_id).first()
    if token is None:
        raise Http404("There is no such token among those that you may revoke.")
    if services.revoke(token=token, actor=membership.user):
        messages.success(request, f"The token “{token.name}” is revoked: it opens nothing any more.")
    else:
        messages.error(request, f"The token “{token.name}” was revoked before.")
    return redirect("accounts:tokens", slug=slug)
