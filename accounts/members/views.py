"""The members page for a fleet's owners, and the page that an invitation link opens."""

from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity_check import ask_identity
from accounts.members import selectors, services
from accounts.members.emails import with_emails
from accounts.members.forms import ROLES, InvitationSignupForm, InviteForm, RoleForm
from accounts.members.services import MemberError
from accounts.models import MemberInvitation, Membership, Role, User
from accounts.permissions import Permission, get_membership_or_404, lost_permissions

_JUST_CREATED = "member_invitation_just_made"
_SHOWN = 500


@never_cache
@sensitive_post_parameters("password", "credential")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the fleet's members, the pending invitations and the invitation form."""
    membership = _owner(request, slug)
    form = InviteForm(request.POST or None, initial={"language": translation.get_language()})
    if request.method != "POST":
        return _page(request, membership, form, just_made=request.session.pop(_JUST_CREATED, None))
    if form.is_valid():
        if (asked := _ask_identity(request, membership)) is not None:
            return asked
        try:
            created = services.invite_member(
                fleet=membership.fleet,
                user=membership.user,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                language=form.cleaned_data["language"],
            )
        except MemberError as error:
            form.add_error("email", str(error))
        else:
            request.session[_JUST_CREATED] = created.pk
            return redirect("accounts:members", slug=slug)
    return _page(request, membership, form, status=400)


def _page(
    request: HttpRequest,
    membership: Membership,
    form: InviteForm,
    *,
    just_made: int | None = None,
    status: int = 200,
) -> HttpResponse:
    fleet = membership.fleet
    pending = selectors.list_pending_invitations(fleet=fleet)
    context = {
        "fleet": fleet,
        "me": membership,
        "members": selectors.list_members(fleet=fleet)[:_SHOWN],
        "pending": with_emails(pending[:_SHOWN]),
        "just_made": pending.filter(pk=just_made).first() if just_made else None,
        "roles": ROLES,
        "form": form,
    }
    return render(request, "accounts/members/members.html", context, status=status)


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def change_role(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    """Changes a member's role. A role with more permissions requires reauthentication."""
    owner, member = _member(request, slug, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Http404("There is no such role.")
    role = Role(form.cleaned_data["role"])
    raised = bool(lost_permissions(before=role, after=member.role))
    if raised and (asked := _ask_identity(request, owner)) is not None:
        return asked
    try:
        services.change_role(membership=member, role=role, user=owner.user)
    except MemberError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("Role changed for %(person)s: %(role)s.") % {"person": member.user, "role": role.label}
        )
    return _back(owner, member)


@login_required
@require_POST
def remove(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    """Removes a member."""
    owner, member = _member(request, slug, membership_id)
    try:
        services.remove_member(membership=member, user=owner.user)
    except MemberError as error:
        messages.error(request, str(error))
    else:
        text = _("%(person)s is no longer a member of %(fleet)s.")
        messages.success(request, text % {"person": member.user, "fleet": owner.fleet})
    return _back(owner, member)


def _back(owner: Membership, member: Membership) -> HttpResponse:
    """Redirects to the members page, or home if the owner changed their own membership."""
    if owner.user_id == member.user_id:
        return redirect("home")
    return redirect("accounts:members", slug=owner.fleet.slug)


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def resend(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Sends an invitation again with a new link."""
    owner, invitation = _invitation(request, slug, invitation_id)
    if (asked := _ask_identity(request, owner)) is not None:
        return asked
    try:
        created = services.resend_invitation(invitation=invitation, user=owner.user)
    except MemberError as error:
        messages.error(request, str(error))
    else:
        request.session[_JUST_CREATED] = created.pk
    return redirect("accounts:members", slug=slug)


@login_required
@require_POST
def revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Revokes an invitation."""
    owner, invitation = _invitation(request, slug, invitation_id)
    if services.revoke_invitation(invitation=invitation, user=owner.user):
        text = _("The invitation for %(email)s is revoked. Its link no longer works.")
        messages.success(request, text % {"email": invitation.email})
    else:
        messages.error(request, _("The invitation was already used or revoked."))
    return redirect("accounts:members", slug=slug)


@never_cache
@sensitive_post_parameters("password")
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Shows an invitation and accepts it, for users with or without an account."""
    found = MemberInvitation.from_token(secret)
    if found is None:
        raise Http404("There is no such invitation.")
    if not found.open:
        return render(request, "accounts/members/invitation_expired.html", {"invitation": found}, status=410)
    if request.user.is_authenticated:
        return _accept_as_user(request, found, User.objects.get(pk=request.user.pk))
    if selectors.get_user_by_email(email=found.email) is not None:
        return _show(request, found, ask_to_sign_in=True)
    return _accept_as_new_user(request, found)


def _accept_as_user(request: HttpRequest, found: MemberInvitation, user: User) -> HttpResponse:
    if user.email.lower() != found.email.lower():
        return _show(request, found, wrong_person=True, status=403)
    if request.method != "POST":
        return _show(request, found, may_accept=True)
    try:
        services.accept_invitation(invitation=found, user=user)
    except MemberError as error:
        messages.error(request, str(error))
        return redirect(found.path)
    return redirect("dashboard:vehicles", slug=found.fleet.slug)


@sensitive_variables()
def _accept_as_new_user(request: HttpRequest, found: MemberInvitation) -> HttpResponseBase:
    form = InvitationSignupForm(request.POST or None, email=found.email)
    if request.method != "POST":
        return _show(request, found, form=form)
    if not form.is_valid():
        return _show(request, found, form=form, status=400)
    try:
        user = services.sign_up_from_invitation(
            invitation=found,
            first_name=form.cleaned_data["first_name"],
            last_name=form.cleaned_data["last_name"],
            password=form.cleaned_data["password"],
            language="",
        )
    except MemberError as error:
        messages.error(request, str(error))
        return redirect(found.path)
    response: HttpResponseBase = perform_login(
        request, user, redirect_url=reverse("dashboard:vehicles", args=[found.fleet.slug])
    )
    return response


def _show(request: HttpRequest, found: MemberInvitation, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {"invitation": found, **more}
    return render(request, "accounts/members/invitation.html", context, status=status)


def _ask_identity(request: HttpRequest, owner: Membership) -> HttpResponse | None:
    back = reverse("accounts:members", args=[owner.fleet.slug])
    return ask_identity(request, user=owner.user, back=back)


def _owner(request: HttpRequest, slug: str) -> Membership:
    return get_membership_or_404(user=request.user, slug=slug, right=Permission.ADMINISTER)


def _member(request: HttpRequest, slug: str, membership_id: int) -> tuple[Membership, Membership]:
    owner = _owner(request, slug)
    member = selectors.list_members(fleet=owner.fleet).filter(pk=membership_id).first()
    if member is None:
        raise Http404("There is no such member in this fleet.")
    return owner, member


def _invitation(request: HttpRequest, slug: str, invitation_id: int) -> tuple[Membership, MemberInvitation]:
    owner = _owner(request, slug)
    found = selectors.list_pending_invitations(fleet=owner.fleet).filter(pk=invitation_id).first()
    if found is None:
        raise Http404("There is no such invitation in this fleet; it may have been used or revoked.")
    return owner, found
