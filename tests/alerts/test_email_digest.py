"""News by e-mail: gathered, one letter a member, each once whatever dies, nothing in it that is private."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail as mailbox
from django.core.mail import EmailMessage
from django.db import connection as database
from django.utils import timezone

from accounts.models import Fleet, Role, User
from accounts.services import add_member
from alerts import email_digest, retention, services, tasks
from alerts.email_digest import BETWEEN, GATHER, PATIENCE
from alerts.models import Letter, MemberChoice, Notice
from alerts.types import Kind
from tests.alerts.helpers import NOW, begin
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
RIPE = NOW + GATHER


@pytest.fixture(autouse=True)
def mail_is_set_up(settings: object) -> None:
    settings.EMAIL_ENABLED = True  # type: ignore[attr-defined]


def post(at: object = RIPE) -> list[EmailMessage]:
    """Gathers and sends as the task does at that time; returns what was sent meanwhile."""
    before = len(mailbox.outbox)
    email_digest.gather(now=at)  # type: ignore[arg-type]
    for letter in email_digest.unsent(now=at):  # type: ignore[arg-type]
        email_digest.mail(letter=letter, now=at)  # type: ignore[arg-type]
    return mailbox.outbox[before:]


def several(fleet: Fleet, count: int) -> list[Notice]:
    cars = [Vehicle.objects.create(fleet=fleet, smartcar_id=f"c{n}", name=f"Car {n}") for n in range(count)]
    return [begin(car) for car in cars]


def test_news_waits_for_more_and_comes_in_one_letter_a_member(
    fleet: Fleet, owner: User, teammate: User, viewer: User, driver: User, outsider: User
) -> None:
    several(fleet, 3)
    assert post(NOW + timedelta(seconds=30)) == []
    sent = post()
    assert sorted(each.to[0] for each in sent) == sorted([owner.email, teammate.email])
    assert {each.subject for each in sent} == {"3 new notices (Blue Fleet)"}
    assert sent[0].body.count("The state of charge fell to") == 3


def test_the_same_news_is_never_mailed_twice(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    assert len(post()) == 1
    for minutes in (1, 20, 60, 24 * 60):
        begin(vehicle, at=RIPE + timedelta(minutes=minutes))
        assert post(RIPE + timedelta(minutes=minutes)) == []


def test_a_car_that_hovers_is_mailed_once_and_one_that_falls_again_later_anew(
    vehicle: Vehicle, owner: User
) -> None:
    begin(vehicle)
    assert len(post()) == 1
    for minutes in (10, 40, 90):
        services.end(kind=Kind.BATTERY, subjects=[vehicle.pk], now=NOW + timedelta(minutes=minutes))
        begin(vehicle, at=NOW + timedelta(minutes=minutes + 5))
        assert post(NOW + timedelta(minutes=minutes + 20)) == []
    services.end(kind=Kind.BATTERY, subjects=[vehicle.pk], now=NOW + timedelta(hours=5))
    begin(vehicle, at=NOW + timedelta(hours=9))
    assert len(post(NOW + timedelta(hours=9) + GATHER)) == 1


def test_hundreds_at_once_are_one_letter_and_a_count(fleet: Fleet, owner: User) -> None:
    several(fleet, 40)
    (letter,) = post()
    assert letter.subject == "40 new notices (Blue Fleet)"
    assert letter.body.count("The state of charge fell to") == email_digest.LISTED
    assert "And 20 more, which stand with the others" in letter.body


def test_letters_of_a_fleet_keep_their_distance(fleet: Fleet, owner: User) -> None:
    several(fleet, 1)
    assert len(post()) == 1
    for name in ("x", "y"):
        begin(Vehicle.objects.create(fleet=fleet, smartcar_id=name, name=name), at=RIPE)
    assert post(RIPE + GATHER) == []
    (letter,) = post(RIPE + BETWEEN)
    assert letter.subject == "2 new notices (Blue Fleet)"


def test_what_is_over_or_in_hand_before_it_is_mailed_is_not_mailed(vehicle: Vehicle, owner: User) -> None:
    notice = begin(vehicle)
    services.end(kind=Kind.BATTERY, subjects=[vehicle.pk], now=NOW)
    begin(vehicle, Kind.CONNECTION)
    services.acknowledge(fleet=vehicle.fleet, kinds=[Kind.CONNECTION], user=owner, now=NOW)
    assert post() == []
    # What was over before anybody was told, and comes back, is still news.
    begin(vehicle, at=RIPE)
    assert len(post(RIPE + GATHER)) == 1
    assert list(Letter.objects.get().notices.all()) == [notice]


def test_a_letter_of_which_nothing_is_left_is_dropped(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    email_digest.gather(now=RIPE)
    services.end(kind=Kind.BATTERY, subjects=[vehicle.pk], now=RIPE)
    assert post() == []
    assert Letter.objects.get().dropped_at == RIPE


@pytest.mark.parametrize("change", ["left", "viewer", "unwanted", "inactive"])
def test_who_may_not_or_would_not_hear_of_it_any_more_gets_no_letter(
    vehicle: Vehicle, teammate: User, change: str
) -> None:
    begin(vehicle, Kind.CONNECTION)
    email_digest.gather(now=RIPE)
    membership = teammate.memberships.get()
    if change == "left":
        membership.delete()
    elif change == "viewer":
        add_member(fleet=vehicle.fleet, user=teammate, role=Role.VIEWER, actor=None)
    elif change == "unwanted":
        MemberChoice.objects.create(membership=membership, in_bell=["connection"])
    else:
        User.objects.filter(pk=teammate.pk).update(is_active=False)
    assert teammate.email not in [each.to[0] for each in post()]


def test_who_chose_no_e_mails_gets_none(vehicle: Vehicle, owner: User) -> None:
    MemberChoice.objects.create(membership=owner.memberships.get(), in_bell=["battery"], by_mail=["token"])
    begin(vehicle)
    assert post() == []


def test_a_viewer_gets_what_a_viewer_may_see_and_asked_for(vehicle: Vehicle, viewer: User) -> None:
    MemberChoice.objects.create(membership=viewer.memberships.get(), by_mail=["battery", "connection"])
    begin(vehicle)
    begin(vehicle, Kind.CONNECTION)
    (letter,) = [each for each in post() if each.to == [viewer.email]]
    assert letter.subject == "Low battery: Van 1 (Blue Fleet)"
    assert "Connection lost" not in letter.body


def test_without_a_mail_server_no_letters_pile_up(vehicle: Vehicle, owner: User, settings: object) -> None:
    settings.EMAIL_ENABLED = False  # type: ignore[attr-defined]
    begin(vehicle)
    assert post() == []
    settings.EMAIL_ENABLED = True  # type: ignore[attr-defined]
    assert post() == []


def test_a_letter_leads_to_the_car_and_tells_no_vin_and_no_place(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(vin="5YJ3E1EA7KF317000", plate="B-AB 123", driver="Dana")
    begin(vehicle)
    begin(vehicle, Kind.CONNECTION, subject=77)
    begin(vehicle, Kind.TOKEN, subject=5)
    (letter,) = post()
    site = "http://"
    assert f"/fleets/blue/vehicles/{vehicle.smartcar_id}/" in letter.body
    assert "/fleets/blue/connections/77/" in letter.body
    assert "/fleets/blue/connections/1/" in letter.body
    assert letter.body.count(site) == 5
    assert "/fleets/blue/notices/settings/" in letter.body
    for private in ("5YJ3E1EA7KF317000", "B-AB 123", "Dana", "user-1"):
        assert private not in letter.body


def test_letters_speak_the_members_language(vehicle: Vehicle, owner: User, teammate: User) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    User.objects.filter(pk=teammate.pk).update(language="fr")
    begin(vehicle)
    bodies = {each.to[0]: each.body for each in post()}
    assert "Hello" not in bodies[owner.email]
    assert "Guten Tag" in bodies[owner.email]
    assert "Bonjour" in bodies[teammate.email]


def test_a_cars_name_with_a_line_break_makes_no_header_of_its_own(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(name="Van\nBcc: everybody@example.com")
    begin(vehicle)
    (letter,) = post()
    assert letter.subject == "Low battery: Van Bcc: everybody@example.com (Blue Fleet)"
    assert letter.recipients() == [owner.email]


class Died(BaseException):
    """As if the process had been killed there."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Has the process die `before` or `after` the mail server took the next letter."""
    real = EmailMessage.send

    def dies(when: str) -> None:
        def send(self: EmailMessage, fail_silently: bool = False) -> int:
            monkeypatch.setattr(EmailMessage, "send", real)
            if when == "after":
                real(self)
            raise Died

        monkeypatch.setattr(EmailMessage, "send", send)

    yield dies


def test_a_crash_between_claim_and_sending_loses_no_letter_and_sends_none_twice(
    vehicle: Vehicle, owner: User, dying: Callable[[str], None]
) -> None:
    begin(vehicle)
    dying("before")
    with pytest.raises(Died):
        post()
    assert post(RIPE + timedelta(minutes=1)) == [], "it may still be under way"
    assert len(post(RIPE + timedelta(minutes=6))) == 1
    assert post(RIPE + timedelta(minutes=30)) == []
    assert Letter.objects.get().sent_at is not None


def test_a_crash_after_the_mail_server_took_it_sends_the_same_message_which_shows_once(
    vehicle: Vehicle, owner: User, dying: Callable[[str], None]
) -> None:
    begin(vehicle)
    dying("after")
    with pytest.raises(Died):
        post()
    post(RIPE + timedelta(minutes=6))
    assert len({each.message()["Message-ID"] for each in mailbox.outbox}) == 1
    assert post(RIPE + timedelta(minutes=30)) == []


def test_a_mail_server_in_trouble_is_tried_again_less_and_less_often_for_a_day(
    vehicle: Vehicle, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def refuse(self: EmailMessage, fail_silently: bool = False) -> int:
        tried.append(self)
        raise SMTPServerDisconnected("owner@fleet.example was refused")

    begin(vehicle)
    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", refuse)
        for minutes in range(10):
            post(RIPE + timedelta(minutes=minutes))
        assert len(tried) == 3
        assert Letter.objects.get().error == "The mail server did not take it (SMTPServerDisconnected)."
    assert post(RIPE + PATIENCE + timedelta(minutes=1)) == []
    assert len(post(RIPE + timedelta(hours=2))) == 1
    assert Letter.objects.get().error == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("run_rung")
def test_workers_at_the_same_letters_send_each_once(fleet: Fleet, owner: User, teammate: User) -> None:
    several(fleet, 3)
    with ThreadPoolExecutor(4) as pool:

        def work(_: int) -> None:
            try:
                post()
            finally:
                database.close()

        list(pool.map(work, range(4)))
    assert sorted(each.to[0] for each in mailbox.outbox) == sorted([owner.email, teammate.email])
    assert Letter.objects.filter(sent_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_task_gathers_and_rings_for_each_letter(
    fleet: Fleet, owner: User, run_rung: Callable[[], list[str]]
) -> None:
    several(fleet, 2)
    Notice.objects.update(news_at=timezone.now() - GATHER)
    email_digest.gather(now=timezone.now())
    assert run_rung() == ["alerts.tasks.mail_letter"]
    assert len(mailbox.outbox) == 1
    tasks.post_notices()
    assert len(mailbox.outbox) == 1


def test_what_was_over_a_year_ago_is_removed(vehicle: Vehicle, owner: User) -> None:
    old, open_one = begin(vehicle), begin(vehicle, Kind.CONNECTION)
    post()
    services.end(kind=Kind.BATTERY, subjects=[vehicle.pk], now=NOW)
    assert retention.tidy(now=NOW + timedelta(days=364)) == 0
    Letter.objects.update(created_at=NOW)
    assert retention.tidy(now=NOW + timedelta(days=366)) == 2
    assert list(Notice.objects.all()) == [open_one]
    assert old.pk != open_one.pk
    tasks.tidy_notices()
    assert Notice.objects.count() == 1
