"""Creates the demo's users and fleets, connects vehicles of the simulator, and fills a new demo with life."""

import time
from datetime import datetime, timedelta
from typing import Any

import environ
import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from connect.models import Connection
from demo.seeding import activity, history, people
from demo.seeding.connecting import Accounts, connect_vehicles
from demo.seeding.plans import BAY_COURIERS, HARBOR_RENTALS, ISAR_KURIERE, FleetPlan

OTHER_FLEET_VEHICLES = 3
# In a large demo, the other vehicles have a history from the start of the demo on.
VEHICLES_WITH_HISTORY = 24
# Vehicles of the first fleet, in the order in which they were connected, whose drivers' access has ended.
_WITHOUT_ACCESS = slice(9, 16, 5)


class Command(BaseCommand):
    help = "Creates the demo's users and fleets and connects vehicles. Existing ones stay unchanged."

    def handle(self, *args: Any, **options: Any) -> None:
        self._started_at = time.monotonic()
        if not settings.DEMO:
            raise CommandError("This isn't a demo (DEMO is not true), so no demo fleet is created.")
        env = environ.Env()
        password = env("DEMO_PASSWORD")
        manager = people.get_or_create_user(
            email=env("DEMO_EMAIL"), password=password, name="Morgan Reyes", staff=True
        )
        other = people.get_or_create_user(
            email=env("DEMO_OTHER_EMAIL"), password=env("DEMO_OTHER_PASSWORD"), name="Sam Okafor"
        )
        wanted = [
            (BAY_COURIERS, manager, env.int("DEMO_VEHICLES", 24), settings.SMARTCAR_API_VERSION),
            (HARBOR_RENTALS, other, OTHER_FLEET_VEHICLES, SmartcarApiVersion.V2),
        ]
        if munich := env.int("DEMO_MUNICH_VEHICLES", 0):
            wanted.insert(1, (ISAR_KURIERE, manager, munich, settings.SMARTCAR_API_VERSION))
        now = timezone.now()
        days = env.int("DEMO_HISTORY_DAYS", 0)
        with httpx.Client(base_url=_simulator(), timeout=120) as simulator:
            accounts = Accounts(simulator)
            for plan, owner, vehicles, api_version in wanted:
                fleet = Fleet.objects.filter(slug=plan.slug).first()
                if fleet is None:
                    fleet = people.create_planned_fleet(plan, owner=owner, api_version=api_version)
                count = connect_vehicles(
                    simulator, accounts, fleet=fleet, owner=owner, city=plan.city, target=vehicles
                )
                people.name_vehicles(fleet, plan)
                self._log(f"{fleet}: {count} vehicles")
                # A fleet gets its past once. If that was interrupted, the fleet isn't old yet.
                if days and fleet.created_at > now - timedelta(days=days - 1):
                    self._fill(simulator, fleet, plan, owner=owner, start=now - timedelta(days=days))

    def _fill(
        self, simulator: httpx.Client, fleet: Fleet, plan: FleetPlan, *, owner: User, start: datetime
    ) -> None:
        """Gives a new fleet its past, since `start`."""
        now = timezone.now()
        people.open_driver_pages(fleet, plan, now=now)
        connections = list(Connection.objects.filter(fleet=fleet).select_related("vehicle").order_by("pk"))
        without_access = connections[_WITHOUT_ACCESS] if plan is BAY_COURIERS else []
        if without_access:
            ids = [each.vehicle.smartcar_id for each in without_access]
            simulator.post("/control/troubles", json={"reauthenticate": ids}).raise_for_status()
        count = history.record(
            simulator, connections=connections[:VEHICLES_WITH_HISTORY], start=start, now=now
        )
        self._log(f"{fleet}: {count} readings since {start:%Y-%m-%d}")
        with transaction.atomic():
            people.backdate(fleet, start=start)
            activity.backdate_connections(fleet, start=start)
            activity.add_commands(fleet, plan, start=start, now=now)
            activity.add_alerts(fleet, plan, now=now)
            activity.end_access(without_access, now=now)
            people.invite_people(fleet, plan, user=owner, now=now)
        self._log(f"{fleet}: commands, alerts and invitations")

    def _log(self, line: str) -> None:
        self.stdout.write(f"{time.monotonic() - self._started_at:6.1f} s  {line}")


def _simulator() -> str:
    return str(settings.SMARTCAR_ORIGINS["connect"]).removesuffix("/connect")
