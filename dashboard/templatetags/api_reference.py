"""Formats the texts of the API's description."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")


@register.filter
def description(text: str) -> SafeString:
    """Returns the text as HTML: paragraphs, and code in backticks."""
    paragraphs = [part for part in text.strip().split("\n\n") if part]
    marked = [_CODE.sub(r"<code>\1</code>", str(escape(part))) for part in paragraphs]
    return mark_safe("".join(f"<p>{part}</p>" for part in marked))  # noqa: S308 - escaped above
