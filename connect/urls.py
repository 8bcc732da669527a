from django.urls import path

from connect import views

app_name = "connect"

urlpatterns = [
    path("callback/", views.callback, name="callback"),
    path("<slug:slug>/start/", views.start, name="start"),
]
