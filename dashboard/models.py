"""The roof's own tables, each in a module beside the pages that it is for."""

from dashboard.vehicle_list.saved_models import SavedView

__all__ = ["SavedView"]
