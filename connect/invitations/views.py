"""The manager's page about invitations, and the driver's page behind an invitation's link."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Fleet
from accounts.permissions import Permission, get_membership_or_404
from connect import emails, oauth
from connect.driver_language import remember, signed_link_view, vehicle_for_driver
from connect.driver_portal.services import portal_after_invitation
from connect.invitations import driver_messages, services
from connect.invitations.forms import InvitationForm
from connect.make_hints import all_hints, hints_for
from connect.models import Invitation
from connect.oauth_errors import AuthorizationFailedError
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import NEEDED, SCOPES, by_topic, with_reasons
from connect.session_binding import known_session_secret, session_secret
from connect.status.states import AuthorizationPurpose
from core import qr_code

_JUST_MADE = "invitation_just_made"
_SHOWN = 200


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the fleet's invitations, newest first, and the form to create one."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    requested = list(requested_scopes(fleet=membership.fleet))
    form = InvitationForm(request.POST or None, initial={"scopes": requested})
    if request.method != "POST":
        just_made = request.session.pop(_JUST_MADE, None)
        return render(request, "connect/invitations/manage.html", _page(membership.fleet, form, just_made))
    if not form.is_valid():
        return render(
            request, "connect/invitations/manage.html", _page(membership.fleet, form, None), status=400
        )
    invitation = services.invite(fleet=membership.fleet, user=membership.user, **form.cleaned_data)
    request.session[_JUST_MADE] = invitation.pk
    return redirect("connect:invitations", slug=slug)


def _page(fleet: Fleet, form: InvitationForm, just_made: int | None) -> dict[str, Any]:
    invitations = Invitation.objects.filter(fleet=fleet).select_related("created_by", "connection__vehicle")
    created = invitations.filter(pk=just_made).first() if just_made else None
    return {
        "fleet": fleet,
        "form": form,
        "topics": by_topic(SCOPES),
        "all_scopes": SCOPES,
        "required": form["required_scopes"].value() or [],
        "qr_code": created and qr_code.as_svg(created.url, title=_("QR code of the invitation link")),
        "needed": NEEDED,
        "chosen": form["scopes"].value() or [],
        "just_made": created,
        "invitations": emails.with_emails(emails.INVITATION, invitations[:_SHOWN]),
        "email_offered": settings.EMAIL_ENABLED,
    }


@login_required
@require_POST
def revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Revokes an invitation."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    invitation = Invitation.objects.filter(fleet=membership.fleet, pk=invitation_id).first()
    if invitation is None:
        raise Http404("There is no such invitation in this fleet.")
    if services.revoke(invitation=invitation, user=membership.user):
        message = _("The invitation for %(driver)s is revoked. Its link no longer works.")
        messages.success(request, message % {"driver": invitation.called})
    else:
        messages.error(request, _("The invitation was already used or revoked."))
    return redirect("connect:invitations", slug=slug)


@login_required
@require_POST
def retry_email(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Sends an invitation's failed email again, with the same link."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    if not Invitation.objects.filter(fleet=membership.fleet, pk=invitation_id).exists():
        raise Http404("There is no such invitation in this fleet.")
    emails.retry_with_message(request, kind=emails.INVITATION, object_id=invitation_id)
    return redirect("connect:invitations", slug=slug)


@require_GET
@signed_link_view(Invitation.from_token)
def show(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Shows who requests access, to what and why, and how to withdraw; or that the invitation is no longer valid."""
    if not invitation.open:
        page = portal_after_invitation(invitation=invitation, session_secret=known_session_secret(request))
        if page is not None:
            return redirect(page.path)
        return render(
            request, "connect/invitations/invitation_expired.html", {"invitation": invitation}, status=410
        )
    return render(request, "connect/invitations/show.html", _invitation(invitation))


def _invitation(invitation: Invitation) -> dict[str, Any]:
    connection = invitation.connection
    scopes = with_reasons(invitation.scopes)
    granted = connection.scopes if connection is not None else []
    new = [scope for scope in scopes if scope.name not in granted]
    error = connection.state_error if connection is not None else ""
    hints = hints_for(invitation.make or (connection.vehicle.make if connection is not None else ""))
    return {
        "why": driver_messages.why(error),
        "todo": driver_messages.next_step(error),
        "invitation": invitation,
        "vehicle": vehicle_for_driver(connection.vehicle) if connection is not None else "",
        "hints": hints if invitation.purpose != AuthorizationPurpose.BATTERY else None,
        "every_make": all_hints() if connection is None and not invitation.make else (),
        "topics": by_topic(scopes),
        "commands": any(scope.command for scope in scopes),
        "granted": granted,
        "upgrade": invitation.purpose == AuthorizationPurpose.PERMISSIONS and bool(granted) and bool(new),
        "new_scopes": new,
        "hours_left": (invitation.expires_at - timezone.now()).total_seconds() / 3600,
        "time_zone": timezone.get_current_timezone_name(),
    }


@require_GET
@signed_link_view(Invitation.from_token)
def start(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Redirects the driver to Smartcar Connect."""
    remember(request, invitation.language)
    try:
        return redirect(
            oauth.start_for_invitation(invitation=invitation, session_secret=session_secret(request))
        )
    except AuthorizationFailedError:
        return redirect(invitation.path)
