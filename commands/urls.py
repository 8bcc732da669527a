from django.urls import path

from commands import views

app_name = "commands"

urlpatterns = [
    path("<slug:slug>/<str:smartcar_id>/", views.show, name="panel"),
    path("<slug:slug>/<str:smartcar_id>/<str:kind>/", views.ask, name="ask"),
]
