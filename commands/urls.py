from django.urls import path

from commands import history_views, views
from commands.bulk import views as bulk

app_name = "commands"

urlpatterns = [
    path("<slug:slug>/", history_views.history, name="ledger"),
    path("<slug:slug>/rules/", history_views.rules, name="rules"),
    path("<slug:slug>/bulk/", bulk.bulk, name="bulk"),
    path("<slug:slug>/bulk/send/", bulk.send, name="bulk_send"),
    path("<slug:slug>/bulk/<int:bulk_id>/", bulk.follow, name="bulk_progress"),
    path("<slug:slug>/bulk/<int:bulk_id>/cancel/", bulk.cancel, name="bulk_cancel"),
    path("<slug:slug>/<str:smartcar_id>/", views.show, name="panel"),
    path("<slug:slug>/<str:smartcar_id>/<str:kind>/", views.create, name="ask"),
    path("<slug:slug>/<str:smartcar_id>/<int:command_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:slug>/<str:smartcar_id>/<int:command_id>/when-awake/", views.when_online, name="when_awake"),
]
