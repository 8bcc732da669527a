"""Saves a fleet's settings for automatic requests and reminders, which are on the page of requests to drivers."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import Permission, get_membership_or_404
from connect.reminders import services
from connect.reminders.forms import RemindersForm


@login_required
@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Saves the settings."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.ADMINISTER)
    form = RemindersForm(request.POST)
    if not form.is_valid():
        messages.error(
            request,
            _("Nothing was changed. Enter two different times for quiet hours, such as 20:00 and 08:00."),
        )
    elif services.change_settings(fleet=membership.fleet, actor=membership.user, **form.cleaned_data):
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("connections:requests", slug=slug)
