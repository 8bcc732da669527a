from django.urls import path

from connect.bulk_requests import views as bulk_requests
from connect.compatibility import views as compatibility
from connect.connections import views
from connect.coverage import views as coverage
from connect.permission_settings import views as permission_settings
from connect.reminders import views as reminders

app_name = "connections"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("compatibility/", compatibility.check, name="compatibility"),
    path("coverage/", coverage.show, name="coverage"),
    path("permissions/", permission_settings.permissions, name="permissions"),
    path("requests/", bulk_requests.overview, name="requests"),
    path("requests/reminders/", reminders.change, name="reminders"),
    path("requests/<int:request_id>/", bulk_requests.show, name="request"),
    path("requests/<int:request_id>/progress/", bulk_requests.progress, name="request_progress"),
    path("requests/<int:request_id>/links/<int:invitation_id>/", bulk_requests.renew, name="request_renew"),
    path("<int:connection_id>/", views.detail, name="detail"),
    path("<int:connection_id>/status/", views.poll, name="status"),
    path("<int:connection_id>/link/", views.link, name="link"),
    path("<int:connection_id>/check/", views.check, name="check"),
    path("<int:connection_id>/authorize/<slug:purpose>/", views.start_auth, name="authorize"),
]
