"""The pages with the demo's emails. Anyone who reaches the demo may read them, as they'd read their own mailbox."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from demo.emails.folder import list_emails, read_email

SHOWN = 100


@never_cache
@require_safe
def emails(request: HttpRequest) -> HttpResponse:
    return render(request, "demo/emails.html", {"emails": list_emails(limit=SHOWN), "limit": SHOWN})


@never_cache
@require_safe
def email(request: HttpRequest, name: str) -> HttpResponse:
    found = read_email(name)
    if found is None:
        raise Http404("There is no such email.")
    return render(request, "demo/email.html", {"email": found})
