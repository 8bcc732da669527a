"""What became of an occurrence, and why a schedule ended, as codes (core.message_codes)."""

from django.utils.translation import gettext_lazy as _

from core.message_codes import MessageCatalog


class ScheduleMessage(MessageCatalog):
    """The outcome of one occurrence of a scheduled command, or why there are no more."""

    SENT = "schedule.sent", _("Sent.")
    MISSED = (
        "schedule.missed",
        _("Skipped: this site wasn't running at that time, and a scheduled command is never sent late."),
    )
    NONE_ELIGIBLE = (
        "schedule.none_eligible",
        _("Skipped: none of the vehicles could receive the command at that time."),
    )
    TOO_MANY = (
        "schedule.too_many",
        _("Skipped: too many vehicles to reach within twelve hours. Choose fewer."),
    )
    REASON_MISSING = (
        "schedule.reason_missing",
        _("Skipped: the fleet now requires a reason for this command. Schedule it again with a reason."),
    )
    MEMBER_REMOVED = "schedule.member_removed", _("Ended: the member who scheduled it left the fleet.")
    MEMBER_NOT_ALLOWED = (
        "schedule.member_not_allowed",
        _("Ended: the member who scheduled it may no longer send commands."),
    )
    USER_DELETED = (
        "schedule.user_deleted",
        _("Ended: the account of the member who scheduled it was deleted."),
    )
