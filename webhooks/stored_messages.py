"""What is noted of messages, kept in their rows in English and told in the reader's language (core.stored_messages).

The notes stand together, so that whatever process shows a row knows them, and not only the one that writes it.
"""

from django.utils.translation import gettext_noop as _

from core.stored_messages import carrying

CAR_LEFT = _("Its car has left the fleet: nothing of the message was kept.")
FAILED = carrying(_("It failed %(times)d times."))
TEST = _("A test delivery of Smartcar's dashboard.")
UNKNOWN_CAR = _("About a car that is not connected here.")
UNKNOWN_TYPE = _("An event type that we do not know.")
