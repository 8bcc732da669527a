"""News by e-mail: gathered for a while, then one letter to each member who wants it. The letters are the truth.

A letter is claimed before it is sent and noted as sent after. What a dead process had claimed is sent by the next,
under the same Message-ID, so that a mail server which took it just before the death shows it once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Fleet
from alerts.messages import text_of, title_of
from alerts.models import Letter, Notice
from alerts.selectors import readers_of
from alerts.types import Kind
from alerts.urls_for import address_of, page_of, settings_of
from core.task_queue import enqueue_on_commit
from vehicles.zones import known_zone

# News waits this long for more to come, and a fleet's members get letters this far apart.
GATHER = timedelta(minutes=2)
BETWEEN = timedelta(minutes=15)
# A mail server that refuses for longer will not take it at all.
PATIENCE = timedelta(days=1)
# More are counted, not listed.
LISTED = 20
_AT_ONCE = 20


def gather(*, now: datetime) -> int:
    """Makes letters of what is new in all fleets, where it is time. Returns how many."""
    ripe = Notice.objects.filter(ended_at=None, posted_at=None, news_at__lte=now - GATHER).order_by()
    return sum(_gather(fleet_id, now=now) for fleet_id in ripe.values_list("fleet_id", flat=True).distinct())


@transaction.atomic
def _gather(fleet_id: int, *, now: datetime) -> int:
    """One process at a time for a fleet. A notice that others hold just now waits for the next round."""
    held = Fleet.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=fleet_id)
    if (
        held.first() is None
        or Letter.objects.filter(fleet_id=fleet_id, created_at__gt=now - BETWEEN).exists()
    ):
        return 0
    fresh = Notice.objects.filter(fleet_id=fleet_id, ended_at=None, posted_at=None).order_by("pk")
    news = list(fresh.select_for_update(no_key=True, skip_locked=True))
    # What somebody has in hand already is no news.
    due = [notice for notice in news if notice.due]
    letters = 0
    for user, kinds in readers_of(fleet_id=fleet_id) if settings.EMAIL_ENABLED else ():
        if theirs := [notice for notice in due if notice.kind in kinds]:
            letter = Letter.objects.create(fleet_id=fleet_id, user=user, created_at=now, next_try_at=now)
            letter.notices.set(theirs)
            enqueue_on_commit("alerts.tasks.mail_letter", letter.pk)
            letters += 1
    Notice.objects.filter(pk__in=[notice.pk for notice in news]).update(posted_at=now)
    return letters


def unsent(*, now: datetime) -> list[Letter]:
    """Letters that a lost doorbell, a dead process or a mail server in trouble left unsent."""
    waiting = Letter.objects.filter(
        sent_at=None, dropped_at=None, next_try_at__lte=now, created_at__gt=now - PATIENCE
    )
    return list(waiting.select_related("fleet", "user").order_by("next_try_at")[:_AT_ONCE])


def mail(*, letter: Letter, now: datetime) -> None:
    """Sends the letter, if it was not sent yet and something of it still needs somebody."""
    if not letter.claim(now=now):
        return
    letter.attempts += 1
    kinds = dict(readers_of(fleet_id=letter.fleet_id)).get(letter.user, frozenset())
    told = letter.notices.filter(ended_at=None, acknowledged_at=None, kind__in=kinds)
    notices = list(told.select_related("vehicle", "fleet"))
    if not notices:
        letter.dropped(now=now)
        return
    subject, text = _written(letter, notices)
    message = EmailMessage(subject, text, to=[letter.user.email], headers=_headers(letter))
    try:
        message.send()
    except (SMTPException, OSError) as error:
        # The server's own words may repeat addresses.
        letter.failed(now=now, error=f"The mail server did not take it ({type(error).__name__}).")
    else:
        letter.sent(now=timezone.now())


def _headers(letter: Letter) -> dict[str, str]:
    return {
        "Message-ID": f"<notices-{letter.pk}-{letter.created_at:%Y%m%d%H%M%S}@{urlsplit(settings.SITE_URL).hostname}>",
        "Auto-Submitted": "auto-generated",
    }


def _written(letter: Letter, notices: list[Notice]) -> tuple[str, str]:
    """Subject and text, in the person's language and the fleet's time zone."""
    language = (
        letter.user.language if letter.user.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    )
    fleet = letter.fleet
    with translation.override(language), timezone.override(known_zone(fleet.time_zone)):
        told = {
            "user": letter.user,
            "fleet": fleet,
            "count": len(notices),
            "groups": _grouped(notices[:LISTED]),
            "more": max(len(notices) - LISTED, 0),
            "page": page_of(fleet),
            "settings": settings_of(fleet),
        }
        return _subject(fleet, notices), render_to_string("alerts/digest.txt", told)


def _subject(fleet: Fleet, notices: list[Notice]) -> str:
    if len(notices) == 1:
        told = {"fleet": fleet.name, "car": notices[0].vehicle, "what": title_of(notices[0])}
        line = _("%(what)s: %(car)s (%(fleet)s)") % told
    else:
        count = len(notices)
        words = ngettext("%(n)s new notice (%(fleet)s)", "%(n)s new notices (%(fleet)s)", count)
        line = words % {"n": count, "fleet": fleet.name}
    return _in_a_line(line)


def _grouped(notices: Iterable[Notice]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Car, sentence and address of each, by what they are about."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for notice in sorted(notices, key=lambda each: Kind.values.index(each.kind)):
        line = (_in_a_line(notice.vehicle), text_of(notice), settings.SITE_URL + address_of(notice))
        groups.setdefault(title_of(notice), []).append(line)
    return list(groups.items())


def _in_a_line(text: object) -> str:
    """A car's name may hold a line break; a subject may not."""
    return " ".join(str(text).split())
