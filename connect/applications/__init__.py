"""Smartcar applications: the one in the settings, and others as rows. Each fleet uses one of them.

A connection belongs to the application it was created with, even if its fleet uses another one now.
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
