from django.urls import path

from connect.connections import views

app_name = "connections"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("<int:connection_id>/", views.detail, name="detail"),
    path("<int:connection_id>/status/", views.poll, name="status"),
    path("<int:connection_id>/link/", views.link, name="link"),
    path("<int:connection_id>/check/", views.check, name="check"),
    path("<int:connection_id>/authorize/<slug:purpose>/", views.start_auth, name="authorize"),
]
