from django.urls import path, re_path

from connect import views
from connect.business_fleet import views as business_fleet
from connect.driver_portal import own_data_views as own_data
from connect.driver_portal import views as driver
from connect.integration import views as integration
from connect.invitations import views as invitations
from connect.offboarding import views as offboarding
from connect.reconciliation import views as reconciliation

app_name = "connect"

_FLEET = "fleets/<slug:slug>"

_SECRET = "(?P<secret>[0-9a-f]{64})"  # noqa: S105  a pattern, not a secret

urlpatterns = [
    path("connect/callback/", views.callback, name="callback"),
    re_path(rf"^connect/invitation/{_SECRET}/$", invitations.show, name="invitation"),
    re_path(rf"^connect/invitation/{_SECRET}/start/$", invitations.start, name="invitation_start"),
    re_path(rf"^connect/driver/{_SECRET}/$", driver.show, name="portal"),
    re_path(rf"^connect/driver/{_SECRET}/close/$", driver.close, name="portal_close"),
    re_path(rf"^connect/driver/{_SECRET}/language/$", driver.set_language, name="portal_language"),
    re_path(rf"^connect/driver/{_SECRET}/time-zone/$", driver.set_time_zone, name="portal_time_zone"),
    re_path(rf"^connect/driver/{_SECRET}/my-data\.json$", own_data.document, name="portal_data"),
    re_path(
        rf"^connect/driver/{_SECRET}/recorded-values\.csv$", own_data.recorded_values, name="portal_values"
    ),
    path("connect/my-link/", own_data.link_request, name="link_request"),
    re_path(
        rf"^connect/driver/{_SECRET}/receipts/(?P<offboarding_id>[0-9]{{1,18}})/$",
        driver.receipt,
        name="portal_receipt",
    ),
    re_path(
        rf"^connect/driver/{_SECRET}/receipts/(?P<offboarding_id>[0-9]{{1,18}})/progress/$",
        driver.progress,
        name="portal_receipt_progress",
    ),
    re_path(
        rf"^connect/driver/{_SECRET}/(?P<connection_id>[0-9]{{1,18}})/(?P<action>[a-z-]+)/$",
        driver.perform_action,
        name="portal_action",
    ),
    path(f"{_FLEET}/connections/new/", views.own_vehicle, name="own_vehicle"),
    path(f"{_FLEET}/connections/start/", views.start, name="start"),
    path(f"{_FLEET}/vehicles/<str:smartcar_id>/disconnect/", offboarding.remove, name="disconnect"),
    path(f"{_FLEET}/connections/reconciliation/", reconciliation.show, name="reconciliation"),
    path(f"{_FLEET}/offboarding/", offboarding.listing, name="offboarding_list"),
    path(f"{_FLEET}/offboarding/<int:offboarding_id>/", offboarding.show, name="offboarding"),
    path(
        f"{_FLEET}/offboarding/<int:offboarding_id>/progress/",
        offboarding.progress,
        name="offboarding_progress",
    ),
    path(f"{_FLEET}/drivers/", driver.manage, name="drivers"),
    path(f"{_FLEET}/drivers/<int:page_id>/close/", driver.revoke, name="driver_close"),
    path(f"{_FLEET}/drivers/<int:page_id>/renew/", driver.renew, name="driver_renew"),
    path(f"{_FLEET}/drivers/<int:page_id>/retry-email/", driver.retry_email, name="driver_retry_email"),
    path(f"{_FLEET}/integration/", integration.show, name="integration"),
    path(f"{_FLEET}/integration/check/", integration.check, name="integration_check"),
    path(f"{_FLEET}/integration/drivers/", integration.send_all_links, name="integration_send_all_links"),
    path(
        f"{_FLEET}/integration/drivers/<int:connection_id>/",
        integration.send_link,
        name="integration_send_link",
    ),
    path(f"{_FLEET}/integration/business-fleet/", business_fleet.name, name="business_fleet"),
    path(
        f"{_FLEET}/integration/business-fleet/<int:rule_id>/stop/",
        business_fleet.drop,
        name="business_fleet_drop",
    ),
    path(f"{_FLEET}/integration/migration/", integration.migrate, name="integration_migrate"),
    path(f"{_FLEET}/integration/migration/stop/", integration.stop, name="integration_stop"),
    path(f"{_FLEET}/integration/migration/progress/", integration.progress, name="integration_progress"),
    path(f"{_FLEET}/invitations/", invitations.manage, name="invitations"),
    path(f"{_FLEET}/invitations/<int:invitation_id>/revoke/", invitations.revoke, name="revoke_invitation"),
    path(
        f"{_FLEET}/invitations/<int:invitation_id>/retry-email/",
        invitations.retry_email,
        name="invitation_retry_email",
    ),
]
