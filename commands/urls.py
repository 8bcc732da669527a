from django.urls import path

from commands import views

app_name = "commands"

urlpatterns = [
    path("<slug:slug>/<str:smartcar_id>/", views.show, name="panel"),
    path("<slug:slug>/<str:smartcar_id>/<str:kind>/", views.ask, name="ask"),
    path("<slug:slug>/<str:smartcar_id>/<int:command_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:slug>/<str:smartcar_id>/<int:command_id>/when-awake/", views.when_awake, name="when_awake"),
]
