"""The models of this app, each defined next to the pages that use it."""

from dashboard.vehicle_list.saved_models import SavedView

__all__ = ["SavedView"]
