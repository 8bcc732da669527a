"""Sets up a new fleet as its members would have: roles, settings, places, names of vehicles, invitations, views."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from random import Random

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject
from accounts.members.services import invite_member
from accounts.models import AuditLogEntry, Fleet, MemberInvitation, Membership, Role, User
from accounts.services import add_member, create_fleet
from alerts.models import AlertSettings
from commands.models import CommandPolicy, ReasonRequirement
from connect.driver_portal import privacy
from connect.invitations import services as invitations
from connect.models import Connection, DriverPortal, Invitation
from connect.scopes import FLEET_SCOPES
from core.signed_links import hash_token
from dashboard.fleet_settings.services import update_settings
from dashboard.models import SavedView
from demo.seeding.plans import FleetPlan, Person, PlannedPlace
from vehicles.models import Place, Reading, Vehicle
from vehicles.places.services import save_place

# In the order of connections.
_HIDING_DRIVER = 5
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def get_or_create_user(*, email: str, password: str, name: str, staff: bool = False) -> User:
    """Returns the user with this address, whose password is this one from now on."""
    user = User.objects.filter(email=email).first()
    if user is None:
        first, last = name.split(maxsplit=1)
        create = User.objects.create_superuser if staff else User.objects.create_user
        return create(email, password, first_name=first, last_name=last)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


@transaction.atomic
def create_planned_fleet(plan: FleetPlan, *, owner: User, api_version: str) -> Fleet:
    """Creates the fleet with its members, who have the owner's password, its settings and places."""
    fleet = create_fleet(name=plan.name, slug=plan.slug, owner=owner, api_version=api_version)
    values = {"time_zone": plan.time_zone, "unit_system": plan.units.value}
    update_settings(fleet=fleet, values=values, actor=owner)
    fleet.refresh_from_db()
    for person in plan.members:
        user = _member(person, password_hash=owner.password, language=plan.language)
        add_member(fleet=fleet, user=user, role=person.role, actor=owner)
    AlertSettings.objects.create(fleet=fleet, low_battery=plan.low_battery)
    CommandPolicy.objects.create(fleet=fleet, reason_for=ReasonRequirement.UNLOCK)
    for place in plan.places:
        save_place(place=_place(fleet, place), actor=owner)
    for name, query in plan.views:
        SavedView.objects.create(fleet=fleet, user=owner, name=name, query=query, shared=True)
    return fleet


def _member(person: Person, *, password_hash: str, language: str) -> User:
    first, last = person.name.split(maxsplit=1)
    # Not create_user: hashing a password takes a quarter of a second.
    return User.objects.create(
        email=person.email, password=password_hash, first_name=first, last_name=last, language=language
    )


def _place(fleet: Fleet, place: PlannedPlace) -> Place:
    return Place(
        fleet=fleet,
        name=place.name,
        kind=place.kind,
        latitude=place.latitude,
        longitude=place.longitude,
        radius=place.radius,
    )


def name_vehicles(fleet: Fleet, plan: FleetPlan) -> None:
    """Enters a name, plate, group and driver for each vehicle about which nothing was entered yet."""
    rng = Random(plan.slug)  # noqa: S311 - repeatable
    vehicles = list(Vehicle.objects.filter(fleet=fleet).order_by("pk"))
    width = max(2, len(str(len(vehicles))))
    for number, vehicle in enumerate(vehicles):
        plate = plan.plate.format(
            letters="".join(rng.choices(_LETTERS, k=3)), digits=f"{rng.randrange(100, 1000)}"
        )
        if vehicle.plate or vehicle.name_entered or vehicle.driver or vehicle.group:
            continue
        vehicle.plate, vehicle.name_entered = plate, True
        vehicle.name = f"{plan.vehicle_name} {number + 1:0{width}}"
        if plan.groups:
            vehicle.group = plan.groups[number % len(plan.groups)]
        if plan.drivers and vehicle.group != plan.groups[-1]:
            vehicle.driver = driver_name(plan.drivers, number)
    Vehicle.objects.bulk_update(
        vehicles, ["plate", "name", "name_entered", "group", "driver"], batch_size=500
    )


def driver_name(names: Sequence[str], number: int) -> str:
    """Returns the name of the n-th driver: one of these, or a first and a last name of two of them."""
    first, last = number % len(names), (number + number // len(names)) % len(names)
    return f"{names[first].split()[0]} {names[last].split()[-1]}"


def open_driver_pages(fleet: Fleet, plan: FleetPlan, *, now: datetime) -> None:
    """Gives each driver a page, as their own authorization would. One hides the location at night."""
    pages = {each.smartcar_user_id: each for each in DriverPortal.objects.filter(fleet=fleet)}
    connections = Connection.objects.filter(fleet=fleet).exclude(vehicle__driver="").select_related("vehicle")
    for number, connection in enumerate(connections.order_by("pk")):
        user_id = connection.smartcar_user_id
        if user_id not in pages:
            page = pages[user_id] = DriverPortal(
                fleet=fleet,
                smartcar_user_id=user_id,
                driver_name=connection.vehicle.driver[:80],
                language=plan.language,
                time_zone=plan.time_zone,
            )
            page.secret_hash = hash_token(page.secret)
        if number == _HIDING_DRIVER and plan.city == "San Francisco":
            page = pages[user_id]
            page.save()
            privacy.set_hours(
                connection=connection, starts=time(6), ends=time(20), weekdays_only=False, now=now, page=page
            )
    DriverPortal.objects.bulk_create(page for page in pages.values() if page.pk is None)


def invite_people(fleet: Fleet, plan: FleetPlan, *, user: User, now: datetime) -> None:
    """Sends invitations to drivers and to a member; those to drivers are some days old."""
    for days, (name, email) in enumerate(plan.invited_drivers, start=1):
        invitation = invitations.invite(
            fleet=fleet,
            user=user,
            by_email=True,
            driver_name=name,
            driver_email=email,
            scopes=list(FLEET_SCOPES),
            mode=settings.SMARTCAR_MODE,
            language=plan.language,
        )
        ago = timedelta(days=days, hours=3)
        Invitation.objects.filter(pk=invitation.pk).update(
            created_at=invitation.created_at - ago, expires_at=invitation.expires_at - ago
        )
        _move_audit_entry(fleet, AuditObject.INVITATION, invitation.pk, to=now - ago)
    if plan.invited_member:
        member = invite_member(
            fleet=fleet, user=user, email=plan.invited_member, role=Role.VIEWER, language=plan.language
        )
        ago = timedelta(hours=5)
        MemberInvitation.objects.filter(pk=member.pk).update(created_at=now - ago)
        _move_audit_entry(fleet, AuditObject.MEMBER_INVITATION, member.pk, to=now - ago)


def _move_audit_entry(fleet: Fleet, kind: AuditObject, pk: int, *, to: datetime) -> None:
    AuditLogEntry.objects.filter(fleet=fleet, object_type=kind, object_id=str(pk)).update(at=to)


def backdate(fleet: Fleet, *, start: datetime) -> None:
    """Moves the fleet and what was set up so far to `start`, in the order in which it happened.

    Vehicles without a history were connected today.
    """
    Fleet.objects.filter(pk=fleet.pk).update(created_at=start)
    Membership.objects.filter(fleet=fleet).update(created_at=start)
    Place.objects.filter(fleet=fleet).update(created_at=start)
    SavedView.objects.filter(fleet=fleet).update(created_at=start + timedelta(days=3))
    with_history = Vehicle.objects.filter(
        Exists(
            Reading.objects.filter(vehicle=OuterRef("pk"), observed_at__lt=timezone.now() - timedelta(days=1))
        ),
        fleet=fleet,
    )
    today = Q(event=AuditEvent.VEHICLE_CONNECTED) & ~Q(object_id__in=with_history.values("smartcar_id"))
    entries = list(AuditLogEntry.objects.filter(fleet=fleet).exclude(today).order_by("at", "pk"))
    for minutes, entry in enumerate(entries):
        entry.at = start + timedelta(minutes=2 * minutes)
    AuditLogEntry.objects.bulk_update(entries, ["at"], batch_size=500)
