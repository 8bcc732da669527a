"""Sentences with values that are kept in rows: in English there, told in the reader's language (core.stored_messages).

They stand together, so that whatever process shows a row knows them, and not only the one that writes it.
"""

from django.utils.translation import gettext_noop as _

from core.stored_messages import carrying

# What a change of a connection's state rests on. The first that fits counts, so the one around another stands first.
SILENCE_SINCE = carrying(_("%(evidence)s, and silence since"), texts=["evidence"])
CONNECTION = carrying(_("connection %(number)s"))
REMOVAL = carrying(_("removal %(number)s"))
REQUEST = carrying(_("request %(request)s"))
SILENCE = carrying(_("silence of %(hours)s hours"))
TRIP = carrying(_("Smartcar Connect, trip %(number)s"))

NOT_ENDED = carrying(_("It could not be ended: %(why)s"), texts=["why"])
NO_WEBHOOK_OF = carrying(_("No webhook is set: that of %(name)s is empty."))
