from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon of static/css/icons.css; what it means must also stand in words."""
    return format_html('<span class="glyph i-{}" aria-hidden="true"></span>', name)
