"""The dialog between pressing a button and sending the command: confirmation, reason and reauthentication."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import reswap, retarget

from accounts import reauthentication
from accounts.models import Fleet, User
from accounts.reauthentication import ReauthMethods
from commands import services
from commands.types import UNLOCKING, CommandType
from vehicles.models import Vehicle

# The fields that the dialog itself adds to a form.
_DIALOG_FIELDS = frozenset({"csrfmiddlewaretoken", "asked", "reason", "password", "credential"})


@dataclass(frozen=True, slots=True)
class ConfirmationPrompt:
    """What the user must enter before a command of this type is created."""

    kind: CommandType
    needs_reason: bool
    ways: ReauthMethods | None
    """How the person can confirm who they are; None when that is fresh or not needed."""

    @property
    def required(self) -> bool:
        """Whether pressing the button opens the dialog instead of sending the command."""
        return self.opens or self.needs_reason

    @property
    def opens(self) -> bool:
        return self.kind in UNLOCKING


def prompt_for(*, request: HttpRequest, user: User, fleet: Fleet, kind: CommandType) -> ConfirmationPrompt:
    """Returns what the user must enter now, according to the fleet's policy."""
    must_reauthenticate = kind in UNLOCKING and not reauthentication.is_recent(request)
    return ConfirmationPrompt(
        kind=kind,
        needs_reason=services.get_policy(fleet=fleet).needs_reason(kind),
        ways=reauthentication.available_methods(user=user) if must_reauthenticate else None,
    )


def render_dialog(
    request: HttpRequest, *, prompt: ConfirmationPrompt, fleet: Fleet, vehicle: Vehicle, problem: str = ""
) -> HttpResponse:
    """Renders the dialog as a fragment (htmx) or as a page, including the submitted form fields."""
    context = {
        "question": prompt,
        "fleet": fleet,
        "vehicle": vehicle,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
        "carried": [(name, value) for name, value in request.POST.items() if name not in _DIALOG_FIELDS],
    }
    if not getattr(request, "htmx", False):
        return render(request, "commands/dialog_page.html", context)
    return reswap(
        retarget(render(request, "commands/confirmation_dialog.html", context), "#command-dialog"),
        "innerHTML",
    )
