"""The one error of this package."""


class ServerError(Exception):
    """An embedded server can't be started; the message is one line that names the cause."""
