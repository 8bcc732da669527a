"""The saved view of the vehicles page: filters, order and columns under a name."""

from django.db import models
from django.utils import timezone

from accounts.models import Fleet, User


class SavedView(models.Model):
    """A saved view of the vehicles page. `query` is a query string of dashboard.vehicle_list.filters.

    A shared view is offered to every member.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="saved_views")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["fleet", "user", "name"], name="fleet_saved_view_once")
        ]

    def __str__(self) -> str:
        return self.name
