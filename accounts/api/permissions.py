"""Permissions of API tokens."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView


class TokenCanSendCommands(BasePermission):
    """Allows reads with any token, and everything else only with a token issued for commands.

    The user's own permissions are checked elsewhere.
    """

    message = "This token only reads. Make one that may send commands on the fleet's page of API tokens, and use that."
    code = "token_only_reads"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        token = request.auth
        return request.method in SAFE_METHODS or not isinstance(token, ApiToken) or token.may_command
