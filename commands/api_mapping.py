"""Maps command types to Smartcar API calls."""

from collections.abc import Callable, Mapping
from typing import Any

from commands.types import CommandType
from smartcar_api import Access, ChargeSchedule, CommandAnswer, SmartcarApi, Window

_CALLS: Mapping[CommandType, Callable[[SmartcarApi], Callable[..., CommandAnswer]]] = {
    CommandType.LOCK: lambda api: api.lock,
    CommandType.UNLOCK: lambda api: api.unlock,
    CommandType.START_CHARGE: lambda api: api.start_charge,
    CommandType.STOP_CHARGE: lambda api: api.stop_charge,
    CommandType.SET_CHARGE_LIMIT: lambda api: api.set_charge_limit,
    CommandType.SET_DESTINATION: lambda api: api.set_destination,
    CommandType.OPEN_CHARGE_PORT: lambda api: api.open_charge_port,
    CommandType.CLOSE_CHARGE_PORT: lambda api: api.close_charge_port,
    CommandType.SET_CHARGE_SCHEDULE: lambda api: api.set_charge_schedule,
    CommandType.DELETE_CHARGE_SCHEDULE: lambda api: api.delete_charge_schedule,
}


def send(
    api: SmartcarApi, access: Access, *, kind: CommandType, vehicle_id: str, parameters: Mapping[str, Any]
) -> CommandAnswer:
    """Sends the command. Parameters are in the stored format (commands.parameters). Raises SmartcarError."""
    arguments = {"schedule": _schedule(parameters)} if kind == CommandType.SET_CHARGE_SCHEDULE else parameters
    return _CALLS[kind](api)(access, vehicle_id=vehicle_id, **arguments)


def _schedule(parameters: Mapping[str, Any]) -> ChargeSchedule:
    windows = {part: Window(*times) for part, times in parameters["windows"].items()}
    return ChargeSchedule(
        type=parameters["type"],
        latitude=parameters["latitude"],
        longitude=parameters["longitude"],
        windows=windows,
    )
