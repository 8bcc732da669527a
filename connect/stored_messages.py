"""Sentences of emails' errors that rows keep in English until outgoing email stores codes (core.stored_messages)."""

from django.utils.translation import gettext_noop as _

from core.stored_messages import carrying

MAIL_REFUSED = carrying(_("The mail server did not take it (%(reason)s)."))
