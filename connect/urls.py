from django.urls import path, re_path

from connect import views
from connect.driver_portal import views as driver
from connect.integration import views as setup
from connect.invitations import views as invitations
from connect.offboarding import views as removal
from connect.reconciliation import views as comparison

app_name = "connect"

_SECRET = "(?P<secret>[0-9a-f]{64})"  # noqa: S105  the shape of one

urlpatterns = [
    path("callback/", views.callback, name="callback"),
    re_path(rf"^invitation/{_SECRET}/$", invitations.show, name="invitation"),
    re_path(rf"^invitation/{_SECRET}/start/$", invitations.start, name="invitation_start"),
    re_path(rf"^mine/{_SECRET}/$", driver.show, name="mine"),
    re_path(rf"^mine/{_SECRET}/close/$", driver.close, name="mine_close"),
    re_path(rf"^mine/{_SECRET}/language/$", driver.set_language, name="mine_language"),
    re_path(rf"^mine/{_SECRET}/proof/(?P<removal_id>[0-9]{{1,18}})/$", driver.proof, name="mine_proof"),
    re_path(
        rf"^mine/{_SECRET}/proof/(?P<removal_id>[0-9]{{1,18}})/progress/$",
        driver.progress,
        name="mine_progress",
    ),
    re_path(
        rf"^mine/{_SECRET}/(?P<connection_id>[0-9]{{1,18}})/(?P<deed>[a-z-]+)/$",
        driver.action,
        name="mine_deed",
    ),
    path("<slug:slug>/start/", views.start, name="start"),
    path("<slug:slug>/vehicles/<str:smartcar_id>/remove/", removal.remove, name="remove"),
    path("<slug:slug>/comparison/", comparison.show, name="comparison"),
    path("<slug:slug>/removals/", removal.listing, name="removals"),
    path("<slug:slug>/removals/<int:removal_id>/", removal.show, name="removal"),
    path("<slug:slug>/removals/<int:removal_id>/progress/", removal.progress, name="removal_progress"),
    path("<slug:slug>/drivers/", driver.manage, name="drivers"),
    path("<slug:slug>/drivers/<int:page_id>/close/", driver.revoke, name="driver_close"),
    path("<slug:slug>/drivers/<int:page_id>/renew/", driver.renew, name="driver_renew"),
    path("<slug:slug>/smartcar/", setup.show, name="setup"),
    path("<slug:slug>/smartcar/test/", setup.test, name="setup_test"),
    path("<slug:slug>/smartcar/drivers/", setup.send_all_links, name="setup_ask_all"),
    path("<slug:slug>/smartcar/drivers/<int:connection_id>/", setup.send_link, name="setup_ask"),
    path("<slug:slug>/smartcar/move/", setup.migrate, name="setup_move"),
    path("<slug:slug>/smartcar/move/stop/", setup.stop, name="setup_stop"),
    path("<slug:slug>/smartcar/move/progress/", setup.progress, name="setup_progress"),
    path("<slug:slug>/invitations/", invitations.manage, name="invitations"),
    path("<slug:slug>/invitations/<int:invitation_id>/revoke/", invitations.revoke, name="revoke_invitation"),
]
