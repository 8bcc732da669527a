"""Redirects from the URLs of releases before 0.2.0, for bookmarks, links in emails, and open forms."""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponsePermanentRedirect
from django.urls import URLPattern, path, re_path, reverse

_SECRET = "(?P<secret>[0-9a-f]{64})"  # noqa: S105  a pattern, not a secret


class _MethodPreservingRedirect(HttpResponseRedirect):
    status_code = 307


def _moved(view: str, old: str, *, pattern: bool = False) -> URLPattern:
    """Redirects an old URL to the view with this name, with the same arguments and query string."""

    def redirect(
        request: HttpRequest, **arguments: Any
    ) -> HttpResponseRedirect | HttpResponsePermanentRedirect:
        address = reverse(view, kwargs=arguments)
        if query := request.META.get("QUERY_STRING"):
            address = f"{address}?{query}"
        if request.method in ("GET", "HEAD"):
            return HttpResponsePermanentRedirect(address)
        return _MethodPreservingRedirect(address)

    return re_path(old, redirect) if pattern else path(old, redirect)


urlpatterns = [
    _moved("accounts:members", "accounts/<slug:slug>/members/"),
    _moved("accounts:members_role", "accounts/<slug:slug>/members/<int:membership_id>/role/"),
    _moved("accounts:members_remove", "accounts/<slug:slug>/members/<int:membership_id>/remove/"),
    _moved("accounts:members_resend", "accounts/<slug:slug>/members/invitations/<int:invitation_id>/resend/"),
    _moved("accounts:members_revoke", "accounts/<slug:slug>/members/invitations/<int:invitation_id>/revoke/"),
    _moved("accounts:tokens", "accounts/<slug:slug>/tokens/"),
    _moved("accounts:revoke_token", "accounts/<slug:slug>/tokens/<int:token_id>/revoke/"),
    _moved("alerts:badge_all", "notices/bell/"),
    _moved("alerts:recent_all", "notices/newest/"),
    _moved("alerts:overview", "fleets/<slug:slug>/notices/"),
    _moved("alerts:acknowledge", "fleets/<slug:slug>/notices/acknowledge/"),
    _moved("alerts:settings", "fleets/<slug:slug>/notices/settings/"),
    _moved("alerts:fleet_settings", "fleets/<slug:slug>/notices/rules/"),
    _moved("alerts:badge", "fleets/<slug:slug>/notices/bell/"),
    _moved("alerts:recent", "fleets/<slug:slug>/notices/newest/"),
    _moved("commands:history", "commands/<slug:slug>/"),
    _moved("commands:policy", "commands/<slug:slug>/rules/"),
    _moved("commands:bulk", "commands/<slug:slug>/bulk/"),
    _moved("commands:bulk_send", "commands/<slug:slug>/bulk/send/"),
    _moved("commands:bulk_progress", "commands/<slug:slug>/bulk/<int:bulk_id>/"),
    _moved("commands:bulk_cancel", "commands/<slug:slug>/bulk/<int:bulk_id>/cancel/"),
    _moved("commands:panel", "commands/<slug:slug>/<str:smartcar_id>/"),
    _moved("commands:create", "commands/<slug:slug>/<str:smartcar_id>/<str:kind>/"),
    _moved("commands:cancel", "commands/<slug:slug>/<str:smartcar_id>/<int:command_id>/cancel/"),
    _moved("commands:when_online", "commands/<slug:slug>/<str:smartcar_id>/<int:command_id>/when-awake/"),
    _moved("connect:portal", rf"^connect/mine/{_SECRET}/$", pattern=True),
    _moved("connect:portal_close", rf"^connect/mine/{_SECRET}/close/$", pattern=True),
    _moved("connect:portal_language", rf"^connect/mine/{_SECRET}/language/$", pattern=True),
    _moved(
        "connect:portal_receipt",
        rf"^connect/mine/{_SECRET}/proof/(?P<offboarding_id>[0-9]{{1,18}})/$",
        pattern=True,
    ),
    _moved(
        "connect:portal_receipt_progress",
        rf"^connect/mine/{_SECRET}/proof/(?P<offboarding_id>[0-9]{{1,18}})/progress/$",
        pattern=True,
    ),
    _moved(
        "connect:portal_action",
        rf"^connect/mine/{_SECRET}/(?P<connection_id>[0-9]{{1,18}})/(?P<action>[a-z-]+)/$",
        pattern=True,
    ),
    _moved("connect:start", "connect/<slug:slug>/start/"),
    _moved("connect:disconnect", "connect/<slug:slug>/vehicles/<str:smartcar_id>/remove/"),
    _moved("connect:reconciliation", "connect/<slug:slug>/comparison/"),
    _moved("connect:offboarding_list", "connect/<slug:slug>/removals/"),
    _moved("connect:offboarding", "connect/<slug:slug>/removals/<int:offboarding_id>/"),
    _moved("connect:offboarding_progress", "connect/<slug:slug>/removals/<int:offboarding_id>/progress/"),
    _moved("connect:drivers", "connect/<slug:slug>/drivers/"),
    _moved("connect:driver_close", "connect/<slug:slug>/drivers/<int:page_id>/close/"),
    _moved("connect:driver_renew", "connect/<slug:slug>/drivers/<int:page_id>/renew/"),
    _moved("connect:integration", "connect/<slug:slug>/smartcar/"),
    _moved("connect:integration_check", "connect/<slug:slug>/smartcar/test/"),
    _moved("connect:integration_send_all_links", "connect/<slug:slug>/smartcar/drivers/"),
    _moved("connect:integration_send_link", "connect/<slug:slug>/smartcar/drivers/<int:connection_id>/"),
    _moved("connect:integration_migrate", "connect/<slug:slug>/smartcar/move/"),
    _moved("connect:integration_stop", "connect/<slug:slug>/smartcar/move/stop/"),
    _moved("connect:integration_progress", "connect/<slug:slug>/smartcar/move/progress/"),
    _moved("connect:invitations", "connect/<slug:slug>/invitations/"),
    _moved("connect:revoke_invitation", "connect/<slug:slug>/invitations/<int:invitation_id>/revoke/"),
    _moved("connections:status", "fleets/<slug:slug>/connections/<int:connection_id>/watch/"),
    _moved("connections:authorize", "fleets/<slug:slug>/connections/<int:connection_id>/go/<slug:purpose>/"),
    _moved("usage:set_limit", "fleets/<slug:slug>/usage/allowance/"),
    _moved("dashboard:vehicles_fragment", "fleets/<slug:slug>/cars/"),
    _moved("dashboard:map_data", "fleets/<slug:slug>/cars/map/"),
    _moved("dashboard:matching", "fleets/<slug:slug>/cars/fitting/"),
    _moved("dashboard:map_popup", "fleets/<slug:slug>/cars/<int:vehicle_id>/peek/"),
    _moved("dashboard:refresh", "fleets/<slug:slug>/vehicles/<str:smartcar_id>/read/"),
    _moved("webhooks:site_log", "webhooks/inbox/"),
    _moved("webhooks:site_entries", "webhooks/inbox/entries/"),
    _moved("webhooks:site_delivery", "webhooks/inbox/<int:entry_id>/"),
    _moved("webhooks:site_outcome", "webhooks/inbox/<int:entry_id>/outcome/"),
    _moved("webhooks:site_reprocess", "webhooks/inbox/<int:entry_id>/again/"),
    _moved("webhooks:log", "webhooks/<slug:slug>/inbox/"),
    _moved("webhooks:entries", "webhooks/<slug:slug>/inbox/entries/"),
    _moved("webhooks:delivery", "webhooks/<slug:slug>/inbox/<int:entry_id>/"),
    _moved("webhooks:outcome", "webhooks/<slug:slug>/inbox/<int:entry_id>/outcome/"),
    _moved("webhooks:reprocess", "webhooks/<slug:slug>/inbox/<int:entry_id>/again/"),
]
