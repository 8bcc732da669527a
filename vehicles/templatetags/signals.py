"""Signal values, errors and distances in templates."""

from django import template
from django.template.defaultfilters import floatformat
from django.utils import timezone

from vehicles import formatting
from vehicles.models import LatestSignal
from vehicles.units import Unit

register = template.Library()


@register.filter
def signal_value(row: LatestSignal | None, units: str) -> str:
    """Formats a signal's value in the fleet's units."""
    return formatting.format_value(code=row.code, body=row.body, units=units) if row else ""


@register.filter
def signal_error(row: LatestSignal) -> str:
    """Returns why the last report of a signal had no value, or ""."""
    return formatting.format_error(row)


@register.filter
def is_stale(row: LatestSignal | None) -> bool:
    """Returns whether a signal's value is missing or old."""
    return row is None or formatting.is_stale(row, now=timezone.now())


@register.filter
def percent(value: float) -> str:
    """Formats a share of 100 as a whole number: "80%"."""
    return formatting.with_symbol(floatformat(value, 0), "%")


@register.filter
def distance(value: float, units: str) -> str:
    """Formats a distance in the fleet's units."""
    return formatting.quantity(value, Unit.KILOMETRE, units=units)


@register.filter
def volume(value: float, units: str) -> str:
    """Formats a volume of fuel in the fleet's units."""
    return formatting.quantity(value, Unit.LITRE, units=units)
