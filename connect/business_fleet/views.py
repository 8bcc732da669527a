"""An owner's settings for vehicles that Smartcar connects by itself, on the Smartcar page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import Permission, get_membership_or_404
from connect.business_fleet import services


@login_required
@require_POST
def name(request: HttpRequest, slug: str) -> HttpResponse:
    """Lets these vehicles join the fleet."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.MOVE)
    model = " ".join(request.POST.get("model", "").replace("\x00", "").split())[:80]
    try:
        rule = services.name_fleet(fleet=membership.fleet, model=model, actor=membership.user)
    except services.SharedApplicationError:
        messages.error(
            request,
            _(
                "Nothing was changed. Other fleets use the same Smartcar application, so only a site "
                "administrator can decide which fleet its vehicles join."
            ),
        )
    else:
        if rule.fleet == membership.fleet:
            messages.success(request, _("Vehicles that Smartcar connects by itself join this fleet."))
        else:
            messages.error(request, _("Nothing was changed. These vehicles already join another fleet."))
    return redirect("connect:integration", slug=slug)


@login_required
@require_POST
def drop(request: HttpRequest, slug: str, rule_id: int) -> HttpResponse:
    """Ends a rule."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.MOVE)
    rule = membership.fleet.adoption_rules.filter(pk=rule_id).first()
    if rule is None:
        raise Http404("There is no such rule in this fleet.")
    services.drop_rule(rule=rule, actor=membership.user)
    messages.success(request, _("New vehicles no longer join this fleet. Those that joined remain."))
    return redirect("connect:integration", slug=slug)
