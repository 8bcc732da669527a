"""URLs of the audit log, below fleets/<slug>/audit-log/."""

from django.urls import path

from dashboard.audit_log import views

urlpatterns = [
    path("", views.page, name="audit_log"),
    path("csv/", views.export, name="audit_log_csv"),
]
