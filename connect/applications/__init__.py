"""Smartcar applications side by side: the one of the settings, and more as rows. Each fleet uses one.

A connection belongs to the application that it was made with, whatever its fleet uses by now.
"""

from connect.applications.registry import (
    Application,
    SigningKey,
    all_applications,
    environment,
    named,
    of_connection,
    of_fleet,
    of_pair,
    of_trip,
    signing_keys,
)

__all__ = [
    "Application",
    "SigningKey",
    "all_applications",
    "environment",
    "named",
    "of_connection",
    "of_fleet",
    "of_pair",
    "of_trip",
    "signing_keys",
]
