from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon from static/css/icons.css, hidden from screen readers: its meaning must also be in the text."""
    return format_html('<span class="glyph i-{}" aria-hidden="true"></span>', name)
