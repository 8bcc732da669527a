"""Signal values, errors and distances in templates."""

from django import template
from django.utils import timezone

from vehicles import formatting
from vehicles.models import LatestSignal
from vehicles.units import Unit

register = template.Library()


@register.filter
def signal_value(row: LatestSignal | None, units: str) -> str:
    """A signal's value in words, in the fleet's units."""
    return formatting.format_value(code=row.code, body=row.body, units=units) if row else ""


@register.filter
def signal_error(row: LatestSignal) -> str:
    """Why a signal has no fresh value, or ""."""
    return formatting.format_error(row)


@register.filter
def is_stale(row: LatestSignal | None) -> bool:
    """Whether a signal's value is older than it should be."""
    return row is None or formatting.is_stale(row, now=timezone.now())


@register.filter
def distance(value: float, units: str) -> str:
    """A distance in the fleet's units."""
    return formatting.quantity(value, Unit.KILOMETRE, units=units)
