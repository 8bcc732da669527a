"""Smartcar applications side by side: the one of the settings, and more as rows. Each fleet uses one.

A connection belongs to the application that it was made with, whatever its fleet uses by now.
"""

from connect.applications.registry import (
    Application,
    ApplicationKey,
    all_applications,
    default_application,
    for_authorization,
    for_connection,
    for_fleet,
    for_token,
    get_application,
    signing_keys,
)

__all__ = [
    "Application",
    "ApplicationKey",
    "all_applications",
    "default_application",
    "for_authorization",
    "for_connection",
    "for_fleet",
    "for_token",
    "get_application",
    "signing_keys",
]
