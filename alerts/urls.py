from django.urls import path

from alerts import views

app_name = "notices"

urlpatterns = [
    path("notices/bell/", views.bell, name="bell_of_all"),
    path("notices/newest/", views.newest, name="newest_of_all"),
    path("fleets/<slug:slug>/notices/", views.overview, name="overview"),
    path("fleets/<slug:slug>/notices/acknowledge/", views.acknowledge, name="acknowledge"),
    path("fleets/<slug:slug>/notices/settings/", views.settings, name="settings"),
    path("fleets/<slug:slug>/notices/rules/", views.rules, name="rules"),
    path("fleets/<slug:slug>/notices/bell/", views.bell, name="bell"),
    path("fleets/<slug:slug>/notices/newest/", views.newest, name="newest"),
]
