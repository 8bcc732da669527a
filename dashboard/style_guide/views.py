"""The style guide: all components of templates/components in all states, for those who build pages. In English only."""

from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.messages.storage.base import Message
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_THEMES: Final = ("light", "dark")
_TONES: Final = (
    ("good", "As it should be"),
    ("quiet", "Over, or doesn't matter"),
    ("active", "Under way"),
    ("warn", "Needs a look"),
    ("bad", "Failed"),
)
_COLORS: Final = ("active", "ok", "warn", "bad", "level-usual", "quiet-bg", "rail-bg")


class _Example(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="A hint says what isn't obvious.")
    email = forms.EmailField(label="Email")
    limit = forms.IntegerField(label="Limit", min_value=50, max_value=100, required=False)
    unit = forms.ChoiceField(label="Units", choices=[("metric", "Metric"), ("imperial", "Imperial")])


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Shows the style guide to staff. `theme` is one of light and dark, or else the user's own."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied
    theme = request.GET.get("theme", "")
    context = {
        "theme": theme if theme in _THEMES else "",
        "form": _Example(),
        "invalid": _Example(
            {"invalid-name": "", "invalid-email": "dana@", "invalid-limit": "20"}, prefix="invalid"
        ),
        "page": Paginator(range(180), 50).page(2),
        "examples": [
            Message(messages.SUCCESS, "The settings were saved."),
            Message(messages.ERROR, "The vehicle couldn't be reached."),
        ],
        "tones": _TONES,
        "colors": _COLORS,
    }
    return render(request, "dashboard/style_guide/page.html", context)
