from django.urls import path, re_path

from connect import views
from connect.driver import views as driver
from connect.invitations import views as invitations
from connect.setup import views as setup

app_name = "connect"

_SECRET = "(?P<secret>[0-9a-f]{64})"  # noqa: S105  the shape of one

urlpatterns = [
    path("callback/", views.callback, name="callback"),
    re_path(rf"^invitation/{_SECRET}/$", invitations.show, name="invitation"),
    re_path(rf"^invitation/{_SECRET}/start/$", invitations.start, name="invitation_start"),
    re_path(rf"^mine/{_SECRET}/$", driver.show, name="mine"),
    re_path(rf"^mine/{_SECRET}/close/$", driver.close, name="mine_close"),
    re_path(
        rf"^mine/{_SECRET}/(?P<connection_id>[0-9]{{1,18}})/(?P<deed>[a-z-]+)/$", driver.act, name="mine_deed"
    ),
    path("<slug:slug>/start/", views.start, name="start"),
    path("<slug:slug>/smartcar/", setup.show, name="setup"),
    path("<slug:slug>/smartcar/test/", setup.test, name="setup_test"),
    path("<slug:slug>/smartcar/move/", setup.move, name="setup_move"),
    path("<slug:slug>/smartcar/move/stop/", setup.stop, name="setup_stop"),
    path("<slug:slug>/smartcar/move/progress/", setup.progress, name="setup_progress"),
    path("<slug:slug>/invitations/", invitations.manage, name="invitations"),
    path("<slug:slug>/invitations/<int:invitation_id>/revoke/", invitations.revoke, name="revoke_invitation"),
]
