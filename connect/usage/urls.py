from django.urls import path

from connect.usage import views

app_name = "usage"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("limit/", views.set_limit, name="set_limit"),
]
