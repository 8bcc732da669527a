"""The error of this package."""


class ServerError(Exception):
    """An embedded server can't be started. The message is one line with the cause."""
