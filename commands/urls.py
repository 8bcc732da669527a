from django.urls import path

from commands import history_views, views
from commands.bulk import views as bulk
from commands.scheduled import views as scheduled

app_name = "commands"

_FLEET = "fleets/<slug:slug>/commands"
_VEHICLE = "fleets/<slug:slug>/vehicles/<str:smartcar_id>/commands"

urlpatterns = [
    path(f"{_FLEET}/", history_views.history, name="history"),
    path(f"{_FLEET}/policy/", history_views.rules, name="policy"),
    path(f"{_FLEET}/bulk/", bulk.bulk, name="bulk"),
    path(f"{_FLEET}/bulk/send/", bulk.send, name="bulk_send"),
    path(f"{_FLEET}/bulk/<int:bulk_id>/", bulk.follow, name="bulk_progress"),
    path(f"{_FLEET}/bulk/<int:bulk_id>/cancel/", bulk.cancel, name="bulk_cancel"),
    path(f"{_FLEET}/scheduled/", scheduled.listing, name="scheduled"),
    path(f"{_FLEET}/scheduled/new/", scheduled.new, name="scheduled_new"),
    path(f"{_FLEET}/scheduled/<int:schedule_id>/pause/", scheduled.pause, name="scheduled_pause"),
    path(f"{_FLEET}/scheduled/<int:schedule_id>/delete/", scheduled.delete, name="scheduled_delete"),
    path(f"{_VEHICLE}/", views.show, name="panel"),
    path(f"{_VEHICLE}/<str:kind>/", views.create, name="create"),
    path(f"{_VEHICLE}/<int:command_id>/cancel/", views.cancel, name="cancel"),
    path(f"{_VEHICLE}/<int:command_id>/when-online/", views.when_online, name="when_online"),
]
