"""The API of commands. Whoever sees a car may read its ledger; asking and taking back is for those who may command.

A command is only written down here, and sent by a worker: no call to a car is made while somebody waits for an answer.
"""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts import reauthentication
from accounts.api.permissions import TokenCanSendCommands
from accounts.api.scoping import accessible_fleets
from accounts.api.throttles import CommandThrottle, ReadThrottle
from accounts.models import Fleet, User
from accounts.permissions import Permission, fleets_for, get_membership_or_404
from commands import services
from commands.api.openapi import CANCEL_REFUSALS, IDEMPOTENCY_KEY, SENDING, SENDING_REFUSALS
from commands.api.queries import CONDITIONS, CommandQuery, CommandsQuery, VehicleCommandsQuery
from commands.api.request_body import idempotency_key, parse_command
from commands.api.serializers import COMMANDING, CommandDetailSerializer, CommandSerializer
from commands.models import Command, CommandState
from commands.selectors import list_commands_of_fleets
from commands.types import UNLOCKING, CommandType
from core.api.caching import revalidated
from core.api.pagination import NewestFirstPagination, without_paging
from vehicles.api.queries import VehicleQuery
from vehicles.api.views import get_vehicle


class CommandNotPossible(exceptions.APIException):
    """What was asked for cannot be done as things stand."""

    status_code = HTTPStatus.CONFLICT
    default_code = "not_possible"


class Commands(generics.GenericAPIView[Command]):
    """What all calls about commands share."""

    permission_classes = [IsAuthenticated, TokenCanSendCommands]
    throttle_classes = [ReadThrottle, CommandThrottle]
    serializer_class: type[CommandSerializer] = CommandSerializer
    pagination_class = NewestFirstPagination

    def get_serializer_context(self) -> dict[str, Any]:
        commanding = fleets_for(user=self.request.user, right=Permission.COMMAND)
        return {**super().get_serializer_context(), COMMANDING: set(commanding.values_list("pk", flat=True))}

    def told(self, command: Command, **answer: Any) -> Response:
        """The command with all that happened to it."""
        body = CommandDetailSerializer(command, context=self.get_serializer_context()).data
        return Response(body, **answer)

    def person(self, fleet: Fleet) -> User:
        """The caller, who may command in this fleet. Raises PermissionDenied."""
        return get_membership_or_404(user=self.request.user, slug=fleet.slug, right=Permission.COMMAND).user

    def command(self, command_id: int) -> Command:
        """One of a fleet whose cars the caller sees. Raises NotFound."""
        slug = CommandQuery.from_request(self.request)["fleet"]
        visible = list_commands_of_fleets(
            fleets=accessible_fleets(self.request, right=Permission.VIEW, slug=slug)
        )
        command = visible.filter(pk=command_id).first()
        if command is None:
            raise exceptions.NotFound("There is no such command in a fleet of yours.")
        return command


@revalidated
class CommandList(Commands, generics.ListAPIView[Command]):
    """The commands of the caller's fleets, newest first."""

    @extend_schema(operation_id="commands_list", parameters=[CommandsQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Command]:
        asked = without_paging(CommandsQuery.from_request(self.request))
        fleets = accessible_fleets(self.request, right=Permission.VIEW, slug=asked.pop("fleet"))
        return list_commands_of_fleets(fleets=fleets).filter(**_conditions(asked))


@revalidated
class VehicleCommands(Commands, generics.ListAPIView[Command]):
    """The commands to one car, newest first; and asking it for another one."""

    @extend_schema(operation_id="vehicle_commands_list", parameters=[VehicleCommandsQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Command]:
        asked = without_paging(VehicleCommandsQuery.from_request(self.request))
        car = get_vehicle(self.request, smartcar_id=self.kwargs["smartcar_id"], fleet=asked.pop("fleet"))
        return list_commands_of_fleets(fleets=Fleet.objects.filter(pk=car.fleet_id)).filter(
            vehicle=car, **_conditions(asked)
        )

    @extend_schema(
        operation_id="send_command",
        parameters=[VehicleQuery, IDEMPOTENCY_KEY],
        request={"application/json": SENDING},
        responses={
            200: CommandDetailSerializer,
            201: CommandDetailSerializer,
            **SENDING_REFUSALS,
        },
    )
    def post(self, request: Request, smartcar_id: str) -> Response:
        """Asks the car for something. A worker sends it: follow the command. 200: the same key brought it before."""
        car = get_vehicle(request, smartcar_id=smartcar_id, **VehicleQuery.from_request(request))
        person, asked = self.person(car.fleet), parse_command(request.data)
        key = idempotency_key(request, kind=asked.kind)
        _check_confirmed(request, asked.kind)
        try:
            outcome = services.create_idempotent_command(
                vehicle=car,
                kind=asked.kind,
                user=person,
                given=asked.parameters,
                reason=asked.reason,
                idempotency_key=key,
                when_awake=asked.when_awake,
            )
        except services.InvalidCommandError as error:
            raise exceptions.ValidationError({error.name: [str(error)]}) from None
        except services.IdempotencyConflictError as error:
            raise CommandNotPossible(str(error), code="key_reused") from None
        except services.CommandRejectedError as error:
            raise CommandNotPossible(str(error)) from None
        status = HTTPStatus.CREATED if outcome.new else HTTPStatus.OK
        address = reverse("api:command", args=[outcome.command.pk], request=request)
        return self.told(outcome.command, status=status, headers={"Location": address})


@revalidated
class CommandDetail(Commands):
    """One command with all its times and the states that it went through."""

    @extend_schema(operation_id="command", parameters=[CommandQuery], responses=CommandDetailSerializer)
    def get(self, request: Request, command_id: int) -> Response:
        return self.told(self.command(command_id))


class CommandCancel(Commands):
    """Taking back what was not sent yet."""

    @extend_schema(
        operation_id="cancel_command",
        parameters=[CommandQuery],
        request=None,
        responses={200: CommandDetailSerializer, **CANCEL_REFUSALS},
    )
    def post(self, request: Request, command_id: int) -> Response:
        """Takes the command back; one that was taken back before stays so."""
        command = self.command(command_id)
        services.cancel_command(command=command, user=self.person(command.fleet))
        command.refresh_from_db()
        if command.state != CommandState.CANCELLED:
            raise CommandNotPossible(
                "It was too late to cancel: the command is on its way to the car or has ended.",
                code="too_late",
            )
        return self.told(command)


def _conditions(asked: dict[str, Any]) -> dict[str, Any]:
    return {CONDITIONS[name]: value for name, value in asked.items()}


def _check_confirmed(request: Request, kind: CommandType) -> None:
    """A browser that was left open unlocks no car: its person has just signed in or given the password once more."""
    if request.auth is None and kind in UNLOCKING and not reauthentication.is_recent(request._request):
        raise exceptions.PermissionDenied(
            "You signed in more than ten minutes ago. Sign in again or unlock on the car's page, which asks for your "
            "password; a program uses a token that may send commands.",
            code="confirmation_required",
        )
