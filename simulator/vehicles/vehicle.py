"""One car of the world, as the wire sees it."""

from typing import Any

from simulator.vehicles import commands, patches, signal_bodies
from simulator.vehicles.capabilities import supported
from simulator.vehicles.catalogue import CATALOGUE
from simulator.vehicles.lifecycle import Identity, Lifecycle
from simulator.vehicles.makes import MAKES, Make
from simulator.vehicles.reporting import deeply_asleep, last_report, next_report
from simulator.vehicles.signal import Signal
from simulator.vehicles.state_snapshot import StateSnapshot, observe


class Vehicle:
    """A simulated car. Times are epoch seconds of the simulator's clock; answers follow from seed and clock alone."""

    __slots__ = ("_reported", "identity", "known", "lifecycle")

    lifecycle: Lifecycle
    identity: Identity

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle, self.identity = lifecycle, lifecycle.identity
        self.known: StateSnapshot | None = None  # what the world last heard of it, for ``Garage.advance``
        self._reported: StateSnapshot | None = None

    @property
    def id(self) -> str:
        """Smartcar vehicle id."""
        return self.identity.id

    @property
    def vin(self) -> str:
        return self.identity.vin

    @property
    def make(self) -> str:
        """As the API writes it: TESLA, MERCEDES_BENZ."""
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
        """E-mail of the owner's account at the maker."""
        return self.identity.account

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Smartcar user ids of the accounts that hold the car."""
        return (self.identity.user_id,)

    @property
    def rules(self) -> Make:
        """The make's rules: rhythm, sleep, commands."""
        return MAKES[self.make]

    def supports(self, code: str) -> bool:
        """Whether this car gives this signal. Raises KeyError for a code that does not exist."""
        return CATALOGUE[code].code in supported(self.identity.model, self.identity.year)

    def takes(self, command: str) -> bool:
        """Whether this car takes this command."""
        return commands.capable(self, command)

    def signal(self, code: str, *, now: float) -> Signal:
        """One signal as last reported. Raises KeyError for a code that does not exist."""
        return signal_bodies.signal(self, CATALOGUE[code], self.reported(now=now))

    def signals(self, *, now: float) -> list[Signal]:
        """All 93 signals, sorted by code; those it does not support carry an error and no body."""
        state = self.reported(now=now)
        return [signal_bodies.signal(self, entry, state) for entry in CATALOGUE.values()]

    def command(self, name: str, *, now: float, **parameters: Any) -> str | None:
        """Do what a remote command does; gives the id of the charge schedule for schedule commands, else None.

        Raises Refused where state, make or parameters do not allow it.
        """
        return commands.run(self, name, now=now, parameters=parameters)

    def patch(self, *, now: float, **state: Any) -> tuple[str, ...]:
        """Set the car's state from outside; gives the codes of the signals that changed. See ``patches.NAMES``.

        Raises ValueError for unknown names (listing the known ones) and for impossible values.
        """
        return patches.apply(self, now=now, values=state)

    def state(self, *, now: float) -> dict[str, Any]:
        """What the car is like at this moment, whether reported or not, as plain values."""
        return patches.view(self, self.observe(now), now=now)

    @property
    def capacities(self) -> tuple[float, ...]:
        """Gross kWh of the batteries that this model may have; empty without one. More than one: the owner is asked."""
        model = self.identity.model
        return tuple(sorted((*model.other_batteries, model.battery))) if model.electric else ()

    def observe(self, moment: float) -> StateSnapshot:
        """The car itself at this moment, whether reported or not."""
        return observe(self.lifecycle, moment)

    def reported(self, *, now: float) -> StateSnapshot:
        """The car as its maker knows it: at its last report, though whether it can be reached is known at once."""
        at, deep = self.last_report(now), deeply_asleep(self.lifecycle, now)
        if self._reported is None or self._reported.at != at:
            self._reported = observe(self.lifecycle, at)
        if self._reported.deep != deep:
            self._reported = self._reported._replace(deep=deep)
        return self._reported

    def last_report(self, now: float) -> float:
        """When the car last reported."""
        return last_report(self.lifecycle, now)

    def next_report(self, now: float) -> float:
        """Until when surely nothing new is heard of it, if nothing is done to it."""
        return next_report(self.lifecycle, now)

    def forget(self) -> None:
        """Work out the last report anew, because something was done to the car."""
        self._reported = None
