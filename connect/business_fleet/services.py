"""Adopts vehicles that Smartcar connects by itself, and retires them when they vanish (Tesla Business Fleet).

A business enrolls its vehicles with Smartcar once. Smartcar then creates and ends the connections, and compares them
with Tesla daily; there is no authorization in Connect, and no driver.
"""

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, gateway, token_store
from connect.applications import Application
from connect.business_fleet.rules import is_adoptable, rule_for
from connect.business_fleet.selectors import fleets_using
from connect.gateway import CallPurpose
from connect.messages import StateEvidence, StateReason
from connect.models import AdoptionRule, Connection, ConnectionState
from core.task_queue import enqueue_on_commit
from smartcar_api import SharedVehicle, SmartcarError
from vehicles import services as vehicle_services
from vehicles.observations import VehicleFacts

MODES = ("live", "simulated")
PATIENCE_SECONDS = 90.0


class SharedApplicationError(Exception):
    """Other fleets use the application too, so an owner can't decide which fleet its vehicles join."""


@transaction.atomic
def name_fleet(*, fleet: Fleet, model: str, actor: User) -> AdoptionRule:
    """Lets vehicles that Smartcar connects to the fleet's application join the fleet: this model, or all if "".

    Raises SharedApplicationError unless the fleet is the only one that uses the application.
    """
    row = applications.for_fleet(fleet).row
    # Two owners may name their fleets at the same time.
    list(Fleet.objects.select_for_update().order_by("pk").filter(pk=fleet.pk))
    if list(fleets_using(application=row)) != [fleet]:
        raise SharedApplicationError
    rule, created = AdoptionRule.objects.get_or_create(
        application=row, model=model.strip(), defaults={"fleet": fleet, "created_by": actor}
    )
    if created:
        log_event(fleet=fleet, actor=actor, event=AuditEvent.ADOPTION_STARTED, data=_details(rule))
        enqueue_on_commit("connect.tasks.adopt_vehicles")
    return rule


@transaction.atomic
def drop_rule(*, rule: AdoptionRule, actor: User) -> None:
    """Ends the rule. Vehicles that joined remain in the fleet."""
    log_event(fleet=rule.fleet, actor=actor, event=AuditEvent.ADOPTION_ENDED, data=_details(rule))
    rule.delete()


def _details(rule: AdoptionRule) -> dict[str, str]:
    return {"text": rule.model} if rule.model else {}


def adopt_all() -> int:
    """Adopts the vehicles of all applications with rules. Returns their number."""
    return sum(
        adopt(application=application)
        for application in applications.all_applications()
        if AdoptionRule.objects.filter(application=application.row).exists()
    )


def adopt(*, application: Application) -> int:
    """Adopts the vehicles that Smartcar connected to the application by itself. Returns their number.

    Nothing is adopted if Smartcar's list can't be read; the next run tries again.
    """
    rules = list(AdoptionRule.objects.filter(application=application.row).select_related("fleet"))
    try:
        with gateway.purpose(CallPurpose.BACKGROUND, patience=PATIENCE_SECONDS):
            token = token_store.application_access(application=application, user_id="").token
            listed = [car for mode in MODES for car in application.v3.all_shared(token, mode=mode)]
    except SmartcarError:
        return 0
    ours = Connection.objects.filter(application=application.row)
    known = set(
        ours.exclude(retired_at__isnull=False).values_list("smartcar_user_id", "vehicle__smartcar_id")
    )
    drivers = set(ours.filter(adopted_at=None).values_list("smartcar_user_id", flat=True))
    adopted = 0
    for car in listed:
        rule = rule_for(car.model, rules)
        if rule is not None and is_adoptable(car, known=known, drivers=drivers):
            _adopt(application, rule.fleet, car)
            adopted += 1
    return adopted


@transaction.atomic
def _adopt(application: Application, fleet: Fleet, car: SharedVehicle) -> None:
    vehicle = vehicle_services.upsert_vehicle(
        fleet=fleet,
        facts=VehicleFacts(
            smartcar_id=car.vehicle_id,
            user_id=car.user_id,
            external_id=car.external_id,
            make=car.make,
            model=car.model,
            year=car.year,
            mode="simulated" if car.mode == "simulated" else "live",
            powertrain=car.powertrain,
        ),
    )
    connection, new = Connection.objects.update_or_create(
        vehicle=vehicle,
        smartcar_user_id=car.user_id,
        application=application.row,
        defaults={
            "fleet": fleet,
            "smartcar_connection_id": car.connection_id,
            "api_version": SmartcarApiVersion.V3,
            "mode": "simulated" if car.mode == "simulated" else "live",
            "scopes": sorted(car.permissions),
            "adopted_at": timezone.now(),
            "retired_at": None,
            "subscribed_at": None,
            "next_subscription_try_at": None,
        },
    )
    connection.connected(evidence=StateEvidence.CONNECTION_LIST.message(), new=new)
    log_event(
        fleet=fleet,
        actor=None,
        event=AuditEvent.VEHICLE_ADOPTED,
        about=(AuditObject.VEHICLE, vehicle.smartcar_id),
    )
    enqueue_on_commit("connect.tasks.complete_connection", connection.pk)


def retire_vanished() -> int:
    """Retires adopted vehicles whose connection the reconciliation ended. Returns their number.

    There is no driver who could be asked to connect them again.
    """
    now, retired = timezone.now(), 0
    ended = Connection.objects.filter(state=ConnectionState.REVOKED, retired_at=None)
    for connection in ended.exclude(adopted_at=None).select_related("vehicle", "fleet").order_by("pk"):
        with transaction.atomic():
            moved = connection.move_to(
                ConnectionState.REMOVED,
                reason=StateReason.RETIRED.message(),
                now=now,
                evidence=StateEvidence.CONNECTION_LIST.message(),
            )
            if moved:
                Connection.objects.filter(pk=connection.pk).update(retired_at=now)
                log_event(
                    fleet=connection.fleet,
                    actor=None,
                    event=AuditEvent.VEHICLE_RETIRED,
                    about=(AuditObject.VEHICLE, connection.vehicle.smartcar_id),
                )
        retired += moved
    return retired
