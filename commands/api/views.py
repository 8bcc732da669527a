"""The commands API. Members who see a vehicle can read its commands; sending and canceling need permission.

A request only stores the command, and a worker sends it, so that no client waits for a call to Smartcar.
"""

from http import HTTPStatus
from typing import Any, TypedDict

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts import reauthentication
from accounts.api.permissions import TokenCanSendCommands
from accounts.api.scoping import accessible_fleets, acting_user, permitted_fleets, service_account
from accounts.api.throttles import CommandThrottle, ReadThrottle
from accounts.models import ApiToken, Fleet, User
from accounts.permissions import Permission
from commands import services
from commands.api.openapi import CANCEL_ERRORS, CREATE_ERRORS, IDEMPOTENCY_KEY, LOCATION, REQUEST_BODY
from commands.api.queries import CONDITIONS, CommandQuery, CommandsQuery, VehicleCommandsQuery
from commands.api.request_body import idempotency_key, parse_command
from commands.api.serializers import COMMANDING, CommandDetailSerializer, CommandSerializer
from commands.models import Command, CommandState
from commands.selectors import list_commands_for_fleets
from commands.types import UNLOCKING, CommandType
from core.api.caching import revalidated
from core.api.pagination import NewestFirstPagination, without_paging
from vehicles.api.queries import VehicleQuery
from vehicles.api.views import get_vehicle


class CommandNotPossible(exceptions.APIException):
    """The command isn't possible at the moment."""

    status_code = HTTPStatus.CONFLICT
    default_code = "not_possible"


class Requester(TypedDict):
    """Who sends or cancels a command: a user, or without one a service account."""

    user: User | None
    service_account: ApiToken | None


class Commands(generics.GenericAPIView[Command]):
    """What all command views share."""

    permission_classes = [IsAuthenticated, TokenCanSendCommands]
    throttle_classes = [ReadThrottle, CommandThrottle]
    serializer_class: type[CommandSerializer] = CommandSerializer
    pagination_class = NewestFirstPagination

    def get_serializer_context(self) -> dict[str, Any]:
        commanding = permitted_fleets(self.request, right=Permission.COMMAND)
        return {**super().get_serializer_context(), COMMANDING: set(commanding.values_list("pk", flat=True))}

    def detail_response(self, command: Command, **answer: Any) -> Response:
        """Returns the response with the command and its state changes."""
        body = CommandDetailSerializer(command, context=self.get_serializer_context()).data
        return Response(body, **answer)

    def requester(self, fleet: Fleet) -> Requester:
        """Returns the caller, who may send commands in this fleet. Raises PermissionDenied."""
        return {
            "user": acting_user(self.request, fleet=fleet, right=Permission.COMMAND),
            "service_account": service_account(self.request),
        }

    def command(self, command_id: int) -> Command:
        """Returns a command of a fleet whose vehicles the caller can see. Raises NotFound."""
        slug = CommandQuery.from_request(self.request)["fleet"]
        visible = list_commands_for_fleets(
            fleets=accessible_fleets(self.request, right=Permission.VIEW, slug=slug)
        )
        command = visible.filter(pk=command_id).first()
        if command is None:
            raise exceptions.NotFound("There is no such command in a fleet of yours.")
        return command


@revalidated
class CommandList(Commands, generics.ListAPIView[Command]):
    """The commands of the caller's fleets, newest first."""

    @extend_schema(operation_id="commands_list", summary="List commands", parameters=[CommandsQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Command]:
        requested = without_paging(CommandsQuery.from_request(self.request))
        fleets = accessible_fleets(self.request, right=Permission.VIEW, slug=requested.pop("fleet"))
        return list_commands_for_fleets(fleets=fleets).filter(**_conditions(requested))


@revalidated
class VehicleCommands(Commands, generics.ListAPIView[Command]):
    """The commands to one vehicle, newest first; also sends new ones."""

    @extend_schema(
        operation_id="vehicle_commands_list",
        summary="List a vehicle's commands",
        parameters=[VehicleCommandsQuery],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Command]:
        requested = without_paging(VehicleCommandsQuery.from_request(self.request))
        vehicle = get_vehicle(
            self.request, smartcar_id=self.kwargs["smartcar_id"], fleet=requested.pop("fleet")
        )
        return list_commands_for_fleets(fleets=Fleet.objects.filter(pk=vehicle.fleet_id)).filter(
            vehicle=vehicle, **_conditions(requested)
        )

    @extend_schema(
        operation_id="send_command",
        summary="Send a command",
        parameters=[VehicleQuery, IDEMPOTENCY_KEY, LOCATION],
        request={"application/json": REQUEST_BODY},
        responses={
            200: CommandDetailSerializer,
            201: CommandDetailSerializer,
            **CREATE_ERRORS,
        },
    )
    def post(self, request: Request, smartcar_id: str) -> Response:
        """Sends a command to the vehicle.

        A worker sends it, so poll the command for its result. 200: the same key already created this command.
        """
        vehicle = get_vehicle(request, smartcar_id=smartcar_id, **VehicleQuery.from_request(request))
        requester, requested = self.requester(vehicle.fleet), parse_command(request.data)
        key = idempotency_key(request, kind=requested.kind)
        _check_confirmed(request, requested.kind)
        try:
            outcome = services.create_idempotent_command(
                vehicle=vehicle,
                kind=requested.kind,
                **requester,
                data=requested.parameters,
                reason=requested.reason,
                idempotency_key=key,
                when_online=requested.when_online,
            )
        except services.InvalidCommandError as error:
            raise exceptions.ValidationError({error.name: [str(error)]}) from None
        except services.IdempotencyConflictError as error:
            raise CommandNotPossible(str(error), code="key_reused") from None
        except services.CommandRejectedError as error:
            raise CommandNotPossible(str(error)) from None
        status = HTTPStatus.CREATED if outcome.new else HTTPStatus.OK
        url = reverse("api:command", args=[outcome.command.pk], request=request)
        return self.detail_response(outcome.command, status=status, headers={"Location": url})


@revalidated
class CommandDetail(Commands):
    """One command with all its times and state changes."""

    @extend_schema(
        operation_id="command",
        summary="Get a command",
        parameters=[CommandQuery],
        responses=CommandDetailSerializer,
    )
    def get(self, request: Request, command_id: int) -> Response:
        return self.detail_response(self.command(command_id))


class CommandCancel(Commands):
    """Canceling a command that wasn't sent yet."""

    @extend_schema(
        operation_id="cancel_command",
        summary="Cancel a command",
        parameters=[CommandQuery],
        request=None,
        responses={200: CommandDetailSerializer, **CANCEL_ERRORS},
    )
    def post(self, request: Request, command_id: int) -> Response:
        """Cancels the command. Canceling it again has no effect."""
        command = self.command(command_id)
        services.cancel_command(command=command, **self.requester(command.fleet))
        command.refresh_from_db()
        if command.state != CommandState.CANCELLED:
            raise CommandNotPossible(
                "Too late to cancel: the command is already being sent or is complete.",
                code="too_late",
            )
        return self.detail_response(command)


def _conditions(requested: dict[str, Any]) -> dict[str, Any]:
    return {CONDITIONS[name]: value for name, value in requested.items()}


def _check_confirmed(request: Request, kind: CommandType) -> None:
    """Requires a recent sign-in or reauthentication for unlocks from a browser, which may have been left unattended."""
    if request.auth is None and kind in UNLOCKING and not reauthentication.is_recent(request._request):
        raise exceptions.PermissionDenied(
            "You signed in more than ten minutes ago. Sign in again, or unlock on the vehicle's page, which asks for "
            "your password. Scripts need a token that can send commands.",
            code="confirmation_required",
        )
