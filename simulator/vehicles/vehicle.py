"""One vehicle of the fleet, as API clients see it."""

from typing import Any

from simulator.vehicles import commands, patches, signal_bodies
from simulator.vehicles.capabilities import supported
from simulator.vehicles.catalogue import CATALOGUE
from simulator.vehicles.city_time import DAY
from simulator.vehicles.day_status import DayStatus, day_status
from simulator.vehicles.lifecycle import Identity, Lifecycle
from simulator.vehicles.makes import MAKES, Make
from simulator.vehicles.reporting import LOCK_AFTER, deeply_asleep, last_report, next_report
from simulator.vehicles.signal import Signal
from simulator.vehicles.state_snapshot import StateSnapshot, observe
from simulator.vehicles.truth import Truth, truth


class Vehicle:
    """A simulated vehicle. Times are epoch seconds of the simulator's clock. Results follow from seed and time."""

    __slots__ = ("_reported", "identity", "known", "lifecycle")

    lifecycle: Lifecycle
    identity: Identity

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle, self.identity = lifecycle, lifecycle.identity
        self.known: StateSnapshot | None = None  # The last state that ``Fleet.advance`` compared.
        self._reported: StateSnapshot | None = None

    @property
    def id(self) -> str:
        """The Smartcar vehicle id."""
        return self.identity.id

    @property
    def vin(self) -> str:
        return self.identity.vin

    @property
    def make(self) -> str:
        """The make as the API writes it: TESLA, MERCEDES_BENZ."""
        return self.identity.model.make

    @property
    def model(self) -> str:
        return self.identity.model.name

    @property
    def year(self) -> int:
        return self.identity.year

    @property
    def powertrain(self) -> str:
        """BEV, PHEV or ICE."""
        return self.identity.model.powertrain

    @property
    def account(self) -> str:
        """The email address of the owner's account at the manufacturer."""
        return self.identity.account

    @property
    def user_ids(self) -> tuple[str, ...]:
        """The Smartcar user ids of the accounts that have the vehicle."""
        return (self.identity.user_id,)

    @property
    def rules(self) -> Make:
        """The make's rules: interval, sleep, commands."""
        return MAKES[self.make]

    def supports(self, code: str) -> bool:
        """Return whether this vehicle supports this signal.

        Raises:
            KeyError: The code doesn't exist.
        """
        return CATALOGUE[code].code in supported(self.identity.model, self.identity.year)

    def supports_command(self, command: str) -> bool:
        """Return whether this vehicle supports this command."""
        return commands.capable(self, command)

    def signal(self, code: str, *, now: float) -> Signal:
        """Return one signal as last reported.

        Raises:
            KeyError: The code doesn't exist.
        """
        return signal_bodies.signal(self, CATALOGUE[code], self.reported(now=now), at=self.last_report(now))

    def signals(self, *, now: float) -> list[Signal]:
        """Return all 93 signals, sorted by code. Unsupported ones carry an error and no body."""
        state, at = self.reported(now=now), self.last_report(now)
        return [signal_bodies.signal(self, entry, state, at=at) for entry in CATALOGUE.values()]

    def command(self, name: str, *, now: float, **parameters: Any) -> str | None:
        """Execute a remote command. Return the id of the charge schedule for schedule commands, otherwise None.

        Raises:
            CommandRejected: The state, the make or the parameters don't allow it.
        """
        outcome = commands.run(
            self, name, now=self.lifecycle.plan_clock.plan_time(now), parameters=parameters
        )
        self._note_report(now)
        return outcome

    def patch(self, *, now: float, **state: Any) -> tuple[str, ...]:
        """Change the vehicle's state from outside. Return the codes of the signals that changed. See ``patches.NAMES``.

        Raises:
            ValueError: A name is unknown (the message lists the known ones) or a value is impossible.
        """
        codes = patches.apply(self, now=self.lifecycle.plan_clock.plan_time(now), values=state)
        self._note_report(now)
        return codes

    def state(self, *, now: float) -> dict[str, Any]:
        """Return the present state, whether reported or not, as plain values."""
        return patches.view(self, self.observe(now), now=now)

    def truth(self, *, start: float, end: float, now: float) -> Truth:
        """Return what the vehicle really did between two times, up to ``now``."""
        return truth(self.lifecycle, start=start, end=end, now=now)

    @property
    def capacities(self) -> tuple[float, ...]:
        """The gross kWh of the batteries that this model may have. Only the driver knows which of several."""
        model = self.identity.model
        return tuple(sorted((*model.other_batteries, model.battery))) if model.electric else ()

    # State

    def observe(self, now: float) -> StateSnapshot:
        """Return the actual state at a time of the simulator's clock, whether reported or not."""
        return self.state_at(self.lifecycle.plan_clock.plan_time(now))

    def reported(self, *, now: float) -> StateSnapshot:
        """Return the state that the make knows: that of the last report, with the present reachability."""
        return self.reported_state_at(self.lifecycle.plan_clock.plan_time(now))

    def state_at(self, moment: float) -> StateSnapshot:
        """Return the actual state at a plan time."""
        return observe(self.lifecycle, moment)

    def reported_state_at(self, moment: float) -> StateSnapshot:
        """Return the state that the make knows at a plan time."""
        at, deep = last_report(self.lifecycle, moment), deeply_asleep(self.lifecycle, moment)
        if self._reported is None or self._reported.at != at:
            self._reported = observe(self.lifecycle, at)
        if self._reported.deep != deep:
            self._reported = self._reported._replace(deep=deep)
        return self._reported

    def last_report(self, now: float) -> float:
        """Return when the vehicle last reported."""
        clock = self.lifecycle.plan_clock
        at = clock.clock_time(last_report(self.lifecycle, clock.plan_time(now)))
        return at if clock.reported_at is None else max(at, min(clock.reported_at, now))

    def next_report(self, now: float) -> float:
        """Return the time before which nothing new is reported unless the vehicle is changed from outside."""
        clock = self.lifecycle.plan_clock
        if clock.is_still(now):
            return now + DAY
        return next_report(self.lifecycle, clock.plan_time(now)) + clock.offset

    def poll(self, *, now: float) -> None:
        """Make the vehicle report now."""
        self.lifecycle.change(self.lifecycle.plan_clock.plan_time(now))
        self._note_report(now)

    def invalidate(self) -> None:
        """Work out the last report again, because the vehicle was changed from outside."""
        self._reported = None

    def _note_report(self, now: float) -> None:
        """Remember the clock time of a report that was made while the plan is paused."""
        clock = self.lifecycle.plan_clock
        if clock.is_still(now):
            clock.reported_at = now

    # The daily plan

    def day_status(self, *, now: float) -> DayStatus:
        """Return the phase of the day, and when the vehicle next leaves, arrives and changes."""
        return day_status(self.lifecycle, now)

    def hold(self, *, now: float, parked: bool = False) -> None:
        """Hold the daily plan: nothing changes unless a command or a patch changes it.

        A driving vehicle is held as soon as its trip is over and the vehicle is locked. With ``parked`` the trip
        ends at once, and the vehicle is awake, locked and closed, apart from what was set from outside.
        """
        clock = self.lifecycle.plan_clock
        moment = clock.plan_time(now)
        trip = self.lifecycle.daily_plan(moment).trip_status(moment)
        settled = trip.until + LOCK_AFTER + 1.0 if trip.driving else moment
        if not parked:
            if clock.held_at is None:
                clock.hold(settled)
                self.lifecycle.invalidate()
            return
        if settled > moment:
            clock.skip_to(settled, now=now)
        clock.hold(settled)
        self._settle(settled)
        self._note_report(now)

    def _settle(self, moment: float) -> None:
        """Wake, stop, lock and close the vehicle at a plan time; what was set from outside stays."""
        overrides = self.lifecycle.change(moment)
        if (self.lifecycle.override_value("speed", moment) or 0) > 0:
            overrides.values.pop("speed")
            self.lifecycle.invalidate()
        state = self.state_at(moment)
        for name, actual, target in (
            ("locked", state.locked, True),
            ("doors", bool(state.doors), False),
            ("windows", bool(state.windows), False),
            ("trunk", state.trunk, False),
        ):
            if actual != target and self.lifecycle.override_value(name, moment) is None:
                value: Any = [] if name in ("doors", "windows") else target
                self.lifecycle.set_override(name, value, now=moment)

    def release(self, *, now: float) -> None:
        """Continue the daily plan from the moment at which it was held."""
        clock = self.lifecycle.plan_clock
        if clock.reported_at is not None:
            self.lifecycle.change(
                clock.plan_time(now)
            )  # the vehicle's last report was made while it was held
        clock.release(now)
        self.lifecycle.invalidate()
