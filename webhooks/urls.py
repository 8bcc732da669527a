from django.urls import path

from webhooks import views
from webhooks.webhook_log import views as inbox

app_name = "webhooks"

urlpatterns = [
    path("webhooks/smartcar/", views.smartcar, name="smartcar"),
    path("webhooks/smartcar", views.smartcar),
    path("webhooks/log/", inbox.webhook_log, name="site_log"),
    path("webhooks/log/entries/", inbox.entries, name="site_entries"),
    path("webhooks/log/<int:entry_id>/", inbox.delivery, name="site_delivery"),
    path("webhooks/log/<int:entry_id>/outcome/", inbox.outcome, name="site_outcome"),
    path("webhooks/log/<int:entry_id>/reprocess/", inbox.process_again, name="site_reprocess"),
    path("fleets/<slug:slug>/webhook-log/", inbox.webhook_log, name="log"),
    path("fleets/<slug:slug>/webhook-log/entries/", inbox.entries, name="entries"),
    path("fleets/<slug:slug>/webhook-log/<int:entry_id>/", inbox.delivery, name="delivery"),
    path("fleets/<slug:slug>/webhook-log/<int:entry_id>/outcome/", inbox.outcome, name="outcome"),
    path("fleets/<slug:slug>/webhook-log/<int:entry_id>/vin/", inbox.show_vin, name="vin"),
    path("fleets/<slug:slug>/webhook-log/<int:entry_id>/reprocess/", inbox.process_again, name="reprocess"),
]
