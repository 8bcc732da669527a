from django.urls import path

from webhooks import views

app_name = "webhooks"

urlpatterns = [path("smartcar/", views.smartcar, name="smartcar")]
