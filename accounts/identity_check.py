"""Asking users to confirm their identity before they give or widen access, or delete data."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_variables

from accounts import reauthentication
from accounts.models import User

# The fields of accounts/confirm_fields.html, and what the page adds itself.
_OWN_FIELDS = frozenset({"csrfmiddlewaretoken", "password", "credential"})


@sensitive_variables()
def ask_identity(request: HttpRequest, *, user: User, back: str) -> HttpResponse | None:
    """Returns None if the posted form may take effect: the user reauthenticated recently, or with this very form.

    Otherwise returns a page that asks for it and submits the form again, with everything that was entered. `back` is
    where its "Cancel" leads.
    """
    if reauthentication.is_recent(request):
        return None
    problem = ""
    if request.POST.get("password") or request.POST.get("credential"):
        try:
            reauthentication.verify_from_post(request=request, user=user)
        except reauthentication.ReauthenticationRequiredError as error:
            problem = str(error)
        else:
            return None
    if not request.user.is_authenticated:
        return redirect("accounts:sign_in")
    context = {
        "ways": reauthentication.available_methods(user=user),
        "carried": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in _OWN_FIELDS
            for value in values
        ],
        "problem": problem,
        "back": back,
    }
    response = render(request, "accounts/identity_check.html", context, status=400)
    # The page contains what was entered, which may be secret.
    add_never_cache_headers(response)
    return response
