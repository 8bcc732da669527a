"""The admin's site: the product's sign-in, password page and rule of reauthentication."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.identity_check import ask_identity
from accounts.models import User

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


class StaffSite(AdminSite):
    """Every form of the admin can give access to data, so each requires reauthentication."""

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends staff to the regular sign-in, so that the admin requires a second factor, too."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not request.user.is_staff:
            raise PermissionDenied("The admin is for administrators of this site.")
        return redirect("admin:index")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sends staff to the regular page, which limits attempts and ends other sessions."""
        return redirect("account_change_password")

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        inner = super().admin_view(view, cacheable)
        if view == self.logout:
            return inner

        @wraps(inner)
        def confirmed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if request.method == "POST" and isinstance(user, User) and self.has_permission(request):
                asked = ask_identity(request, user=User.objects.get(pk=user.pk), back=request.path)
                if asked is not None:
                    return asked
            return inner(request, *args, **kwargs)

        return cast(_View, confirmed)
