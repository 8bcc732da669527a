"""What a person is asked between pressing a button and the command: is it meant, why, and are they still the one
who signed in.
"""

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

# What the dialog itself adds to a form.
_OWN = frozenset({"csrfmiddlewaretoken", "asked", "reason", "password", "credential"})


@dataclass(frozen=True, slots=True)
class ConfirmationPrompt:
    """What is still to be answered before a command of this kind is asked for."""

    kind: CommandType
    needs_reason: bool
    ways: ReauthMethods | None
    """How the person can confirm who they are; None when that is fresh or not needed."""

    @property
    def comes_first(self) -> bool:
        """Whether pressing the button asks instead of sending."""
        return self.opens or self.needs_reason

    @property
    def opens(self) -> bool:
        return self.kind in UNLOCKING


def prompt_for(*, request: HttpRequest, user: User, fleet: Fleet, kind: CommandType) -> ConfirmationPrompt:
    """What the person has to answer, now, for this fleet's rules."""
    asks_who = kind in UNLOCKING and not reauthentication.is_recent(request)
    return ConfirmationPrompt(
        kind=kind,
        needs_reason=services.get_policy(fleet=fleet).needs_reason(kind),
        ways=reauthentication.available_methods(user=user) if asks_who else None,
    )


def render_dialog(
    request: HttpRequest, *, question: ConfirmationPrompt, fleet: Fleet, vehicle: Vehicle, problem: str = ""
) -> HttpResponse:
    """The question, beside the page (htmx) or as a page of its own, with what the form carried."""
    context = {
        "question": question,
        "fleet": fleet,
        "vehicle": vehicle,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
        "carried": [(name, value) for name, value in request.POST.items() if name not in _OWN],
    }
    if not getattr(request, "htmx", False):
        return render(request, "commands/dialog_page.html", context)
    return reswap(
        retarget(render(request, "commands/confirmation_dialog.html", context), "#command-dialog"),
        "innerHTML",
    )
