from django.contrib import admin

from alerts.models import FleetRules, Letter, MemberChoice, Notice
from core.admin import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin[Notice]):
    list_display = ["opened_at", "fleet", "kind", "vehicle", "level", "acknowledged_by", "ended_at"]
    list_filter = ["kind", "fleet", "ended_at"]
    search_fields = ["vehicle__name", "vehicle__smartcar_id"]
    list_select_related = ["fleet", "vehicle", "acknowledged_by"]


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin[Letter]):
    list_display = ["created_at", "fleet", "user", "sent_at", "dropped_at", "attempts", "error"]
    list_filter = ["fleet", "sent_at"]
    search_fields = ["user__email", "error"]
    list_select_related = ["fleet", "user"]
    exclude = ["notices"]


@admin.register(FleetRules)
class FleetRulesAdmin(ReadOnlyAdmin[FleetRules]):
    list_display = ["fleet", "low_battery", "kinds"]
    list_filter = ["low_battery"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]


@admin.register(MemberChoice)
class MemberChoiceAdmin(ReadOnlyAdmin[MemberChoice]):
    list_display = ["membership", "in_bell", "by_mail"]
    list_filter = ["membership__fleet"]
    search_fields = ["membership__user__email"]
    list_select_related = ["membership__user", "membership__fleet"]
