from django.urls import path

from webhooks import views
from webhooks.webhook_log import views as inbox

app_name = "webhooks"

urlpatterns = [
    path("smartcar/", views.smartcar, name="smartcar"),
    path("smartcar", views.smartcar),
    path("inbox/", inbox.webhook_log, name="site_inbox"),
    path("inbox/entries/", inbox.entries, name="site_entries"),
    path("inbox/<int:entry_id>/", inbox.delivery, name="site_delivery"),
    path("inbox/<int:entry_id>/outcome/", inbox.outcome, name="site_outcome"),
    path("inbox/<int:entry_id>/again/", inbox.process_again, name="site_process_again"),
    path("<slug:slug>/inbox/", inbox.webhook_log, name="inbox"),
    path("<slug:slug>/inbox/entries/", inbox.entries, name="entries"),
    path("<slug:slug>/inbox/<int:entry_id>/", inbox.delivery, name="delivery"),
    path("<slug:slug>/inbox/<int:entry_id>/outcome/", inbox.outcome, name="outcome"),
    path("<slug:slug>/inbox/<int:entry_id>/again/", inbox.process_again, name="process_again"),
]
