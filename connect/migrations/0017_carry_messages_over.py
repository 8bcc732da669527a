"""Carries the texts of the version before over to codes with parameters, by the sentences which that version wrote.

What matches none of them is kept as a text, so that nothing is lost.
"""

import re

from django.db import migrations

# The model, the column of the text with its length, and the name of the message.
COLUMNS = [
    ("AuthorizationRequest", "outcome", 80, "outcome"),
    ("Connection", "state_cause", 200, "state_reason"),
    ("Connection", "subscription_error", 200, "subscription_error"),
    ("ConnectionMigration", "reason", 300, "reason"),
    ("Discrepancy", "note", 200, "note"),
    ("ErasureRecord", "note", 200, "note"),
    ("OffboardingRequest", "trouble", 300, "problem"),
    ("PendingIssue", "evidence", 160, "evidence"),
    ("Reconciliation", "trouble", 300, "problem"),
    ("Transition", "cause", 200, "reason"),
    ("Transition", "evidence", 160, "evidence"),
]
SENTENCES = {
    "The maker wants something settled in the driver's account, such as new terms of use.": "status.account_issue",
    "The driver's account at the maker does not allow what the fleet asks for.": "status.account_permission",
    (
        "The maker's connected services for this car have ended, were never started, or do not include this."
    ): "status.account_subscription",
    "Smartcar has suspended this site's account over an unpaid bill.": "status.account_suspended",
    (
        "The maker no longer accepts the driver's sign-in, for example after a new password."
    ): "status.authentication_failed",
    "Smartcar answers requests for this car again.": "status.call_succeeded",
    "Connected by the driver.": "status.connected",
    "Data arrives.": "status.data_received",
    "Disconnected by the fleet.": "status.disconnected",
    "Smartcar does not list this connection any more: the driver ended it there.": "status.grant_ended",
    "Smartcar lists this connection again.": "status.listed_again",
    "A new month has begun, with new requests.": "status.new_month",
    "Nothing was heard of the car for far longer than is normal.": "status.no_data",
    "The driver's account at the maker has no car any more.": "status.no_vehicles",
    "The driver's permission does not cover what the fleet asks for.": "status.permission_missing",
    "The Smartcar plan does not cover this car.": "status.plan_limit",
    "The driver signed in again; waiting for data.": "status.reauthenticated",
    "The maker asks the driver to sign in again.": "status.reauthentication_needed",
    "Replaced: the driver shares the car by the fleet's new application.": "status.replaced",
    "This month's requests for the car are used up. Pushed data still arrives.": "status.requests_used_up",
    "Smartcar reports that the trouble is over.": "status.resolved",
    "The maker's connected services are not active for this car.": "status.subscription_needed",
    "Smartcar no longer accepts the driver's token.": "status.token_rejected",
    "The Smartcar plan has no room for this car.": "status.vehicle_limit",
    "The car is no longer in the driver's account at the maker.": "status.vehicle_missing",
    "Withdrawn by the driver.": "status.withdrawn",
    "the calendar": "evidence.calendar",
    "a call that was refused": "evidence.call_rejected",
    "a call that worked": "evidence.call_succeeded",
    "Smartcar's list of connections": "evidence.connection_list",
    "fresh data": "evidence.fresh_data",
    "the nightly comparison": "evidence.reconciliation",
    "a refresh of the token that was refused": "evidence.refresh_rejected",
    "No webhook is set: SMARTCAR_WEBHOOK_ID is empty.": "subscription.no_webhook",
    "The driver's permission has ended. Ask the driver to connect the car again.": "tokens.grant_ended",
    "Renewing the token takes too long. Try again in a minute.": "tokens.refresh_timeout",
    (
        "A stored token was encrypted with a key that is not in FIELD_ENCRYPTION_KEYS. Put the former "
        "key back at the end of the list."
    ): "tokens.unreadable",
    (
        "If it still answers on v2, ask Smartcar's support; else invite the driver to connect it again."
    ): "migration.ask_support",
    "The connection was changed meanwhile.": "migration.connection_changed",
    "The connection has ended.": "migration.connection_ended",
    (
        "v2 needs a token pair that only the driver can give, and there is none for this car. Invite the "
        "driver to connect it again."
    ): "migration.no_tokens",
    "Smartcar's v3 does not list this car for its driver.": "migration.not_listed",
    "Smartcar promised the subscription to the webhook, but does not list it.": "migration.not_subscribed",
    "Smartcar's v3 does not list this car for its driver, and lists several others.": "migration.others_listed",
    "Connected again by its driver meanwhile.": "migration.reconnected",
    "Smartcar's list of connections still shows it.": "offboarding.still_listed",
    "Kept: only the places were to be erased.": "erasure.only_places",
    "Kept: another driver of the fleet still shares this car.": "erasure.vehicle_shared",
    "It has changed meanwhile.": "reconciliation.changed_meanwhile",
    "The connection is shown as ended; its driver has to connect the car again.": "reconciliation.connection_ended",
    "The connection stands again.": "reconciliation.connection_restored",
    "It was ended at Smartcar.": "reconciliation.grant_ended",
    "The new id was noted.": "reconciliation.id_updated",
    "It was cut short.": "reconciliation.interrupted",
    "No tokens are left to end it with: end it in Smartcar's dashboard.": "reconciliation.no_tokens",
    "Left alone: Smartcar could not be asked again about this one.": "reconciliation.not_confirmed",
    "Reported only: its driver made it anew at Smartcar since it was removed here.": "reconciliation.recreated",
    "It is being subscribed again.": "reconciliation.resubscribing",
    "Left alone: asked again about this one, Smartcar still lists it.": "reconciliation.still_listed",
    "Left alone: too many were missing at once.": "reconciliation.too_many_missing",
    "Reported only: nobody here has connected it.": "reconciliation.unknown",
    "Access was not allowed": "authorization.access_denied",
    "This site's Smartcar application is set up wrongly": "authorization.configuration_error",
    "Smartcar does not accept our credentials": "authorization.credentials_rejected",
    "Smartcar sent you back without an answer": "authorization.incomplete",
    "The car's connected services are not active": "authorization.invalid_subscription",
    "This invitation is not open any more": "authorization.invitation_closed",
    "No battery size was chosen": "authorization.no_battery_size",
    "No car in this account": "authorization.no_vehicles",
    "No car was shared": "authorization.nothing_shared",
    "You came back before a car was connected": "authorization.returned_early",
    "Smartcar had a problem": "authorization.server_error",
    "The sign-in at the maker was cancelled": "authorization.sign_in_canceled",
    "Smartcar does not confirm this sign-in": "authorization.unconfirmed",
    "The car was not connected": "authorization.unknown_error",
    "This link back from Smartcar is not ours": "authorization.unknown_state",
    "Smartcar did not answer": "authorization.unreachable",
    "This car cannot be connected": "authorization.vehicle_incompatible",
    (
        "The maker refused the request: something is to be settled in the driver's account. Have the "
        "driver sign in to the maker's app and finish what it asks for."
    ): "smartcar.connected_services_account.account_issue",
    (
        "The maker no longer accepts the driver's sign-in, for example after a new password. Have the "
        "driver connect the car again."
    ): "smartcar.connected_services_account.authentication_failed",
    (
        "The driver's account at the maker has no car any more. Have the driver add the car there, then "
        "connect again."
    ): "smartcar.connected_services_account.no_vehicles",
    (
        "The driver's account at the maker may not do this with the car. Have the driver connect the car "
        "again."
    ): "smartcar.connected_services_account.permission",
    (
        "The maker refused the request: the car's connected services have ended or were never started. "
        "Have the driver renew them in the maker's app."
    ): "smartcar.connected_services_account.subscription",
    (
        "The car is no longer in the driver's account at the maker. Have the driver add it there, then "
        "connect again."
    ): "smartcar.connected_services_account.vehicle_missing",
    (
        "The car takes no commands from us: it has no virtual key for Smartcar yet. Have the driver add "
        "it with the maker's app."
    ): "smartcar.connected_services_account.virtual_key_required",
    (
        "The car is asleep, and the request was not sent, to spare its battery. Try again when it is in use."
    ): "smartcar.vehicle_state.asleep",
    "The car could not be locked: a door is open. Close all doors and try again.": "smartcar.vehicle_state.door_open",
    "The car refused: its hood is open. Close it and try again.": "smartcar.vehicle_state.hood_open",
    "The car refused: its trunk is open. Close it and try again.": "smartcar.vehicle_state.trunk_open",
    "The car refused: it is switched on. Switch it off and try again.": "smartcar.vehicle_state.ignition_on",
    "The car refused: it is moving. Try again when it stands.": "smartcar.vehicle_state.in_motion",
    "The car refused: its battery is too low. Charge it and try again.": "smartcar.vehicle_state.low_battery",
    (
        "The car refused: it is not plugged in. Plug it in and try again."
    ): "smartcar.vehicle_state.charging_plug_not_connected",
    "The car refused: it is plugged in. Unplug it and try again.": "smartcar.vehicle_state.charging_plug_connected",
    "The car charges already. Nothing is left to do.": "smartcar.vehicle_state.charging_in_progress",
    "The car does not charge. Nothing is left to stop.": "smartcar.vehicle_state.not_charging",
    "The car is fully charged. Nothing is left to do.": "smartcar.vehicle_state.fully_charged",
    (
        "The car refused: its own charging schedule is in the way. Change that in the car or the maker's app."
    ): "smartcar.vehicle_state.charge_fault",
    (
        "The car refused: remote access is switched off in it. Have the driver switch it on in the car's "
        "settings."
    ): "smartcar.vehicle_state.remote_access_disabled",
    (
        "The car could not be reached, most likely for want of mobile coverage. Try again when it has moved."
    ): "smartcar.vehicle_state.unreachable",
    (
        "The car is in service mode and takes no requests. Try again when the service is over."
    ): "smartcar.vehicle_state.vehicle_offline_for_service",
    (
        "The car takes no commands from us: it wants a paired device. Have the driver finish the pairing "
        "in the maker's app."
    ): "smartcar.vehicle_state.device_pairing_required",
    (
        "Too many requests for this car in a short time; Smartcar spares its battery. Wait a few minutes "
        "and try again."
    ): "smartcar.rate_limit.vehicle",
    (
        "This month's requests for the car are used up. It works again when the month turns, or with a "
        "larger plan."
    ): "smartcar.billing.vehicle_request_limit",
    (
        "The Smartcar plan has no room for another car. The car is not at fault. Whoever runs this site "
        "should enlarge the plan or remove a car."
    ): "smartcar.billing.vehicle_limit",
    (
        "Smartcar has suspended our account over an unpaid bill. The car is not at fault. Whoever runs "
        "this site should settle it with Smartcar."
    ): "smartcar.billing.account_suspended",
    (
        "Smartcar did not answer in time, so we cannot tell what became of the request. Wait for the "
        "car's next report."
    ): "smartcar.no_answer.timeout",
    (
        "Smartcar's older API (v2), which this car is connected with, has no such command, so nothing "
        "was sent. It works once the fleet has changed to v3."
    ): "smartcar.not_sent.unsupported",
    (
        "Smartcar lets us send only so many requests, and they are used up for the moment, so nothing "
        "was sent. Wait a few minutes and try again."
    ): "smartcar.not_sent.no_room",
    (
        "Smartcar asked us to leave this car alone for a while, to spare its battery, so nothing was "
        "sent. Wait a few minutes and try again."
    ): "smartcar.not_sent.car_rests",
    (
        "This month's requests for the car are used up, so it is no longer read by itself. That goes on "
        "when the month turns. Commands and a reading by hand still go."
    ): "smartcar.not_sent.no_allowance",
    (
        "Smartcar has not answered several times in a row, so nothing was sent. Wait half a minute and "
        "try again."
    ): "smartcar.not_sent.host_down",
    (
        "Smartcar could not be reached, so nothing was sent. Wait a few minutes and try again."
    ): "smartcar.not_sent.connect_failed",
    (
        "Smartcar did not accept our sign-in for this request. Try again; if that stays, whoever runs "
        "this site should check the Smartcar credentials in its settings."
    ): "smartcar.authentication",
    (
        "Smartcar does not accept our credentials. The car is not at fault. Whoever runs this site "
        "should check them in the settings."
    ): "smartcar.invalid_client",
    (
        "Smartcar does not allow our application to do this, for example with this make. The car is not "
        "at fault. Whoever runs this site should ask Smartcar."
    ): "smartcar.unauthorized_client",
    (
        "The driver's permission has ended, or the link was used before. Have the driver connect the car "
        "again."
    ): "smartcar.invalid_grant",
    (
        "Our Smartcar plan does not cover this request. The car is not at fault. Whoever runs this site "
        "should look at the plan in Smartcar's dashboard."
    ): "smartcar.billing",
    "This car cannot do that through Smartcar. Nothing can be done from here.": "smartcar.compatibility",
    (
        "The maker refused the request because of the driver's account there. Have the driver connect "
        "the car again."
    ): "smartcar.connected_services_account",
    "Smartcar has a problem at the moment. Wait a few minutes and try again.": "smartcar.gateway",
    (
        "The connection to Smartcar broke, so we cannot tell what became of the request. Wait for the "
        "car's next report."
    ): "smartcar.no_answer",
    (
        "We could not make this request, so nothing was sent. The car is not at fault. Whoever runs this "
        "site should look at the site's log."
    ): "smartcar.not_sent",
    "The driver did not allow this. Have the driver connect the car again.": "smartcar.permission",
    "We have sent Smartcar too many requests in a short time. Wait a few minutes and try again.": "smartcar.rate_limit",
    (
        "Smartcar does not know this car or this connection any more. If that stays, have the driver "
        "connect the car again."
    ): "smartcar.resource_not_found",
    (
        "Smartcar sent an answer that we cannot read, so we cannot tell what became of the request. Wait "
        "for the car's next report."
    ): "smartcar.unreadable_answer",
    "The maker's service has a problem at the moment. Wait a few minutes and try again.": "smartcar.upstream",
    (
        "Smartcar did not accept the form of our request. The car is not at fault. Whoever runs this "
        "site should look at the site's log."
    ): "smartcar.validation",
    "The car refused because of the state it is in. Look at the car and try again.": "smartcar.vehicle_state",
    (
        "Smartcar refused the request and gave a reason that we do not know. The car is not at fault. "
        "Whoever runs this site should look at the site's log."
    ): "smartcar.unknown",
    "Kept: another fleet of this site shares this car, and the messages are its own as well.": (
        "erasure.shared_with_fleet"
    ),
}
# The first that matches counts. Values named here are texts themselves.
PATTERNS = [
    ("%(evidence)s, and silence since", "evidence.no_data_since"),
    ("Smartcar Connect, trip %(number)s", "evidence.authorization"),
    ("connection %(number)s", "evidence.connection"),
    ("silence of %(hours)s hours", "evidence.no_data"),
    ("removal %(number)s", "evidence.offboarding"),
    ("request %(request)s", "evidence.request"),
    ("No webhook is set: that of %(name)s is empty.", "subscription.no_webhook_for_application"),
    ("It could not be ended: %(why)s", "reconciliation.grant_not_ended"),
    ("event %(event)s", "evidence.event"),
    ("a read of the car (inbox %(delivery)s)", "evidence.read"),
    ("connected %(count)s", "authorization.connected"),
]
_TEXTS = {"evidence", "why"}
_NUMBERS = {"count", "delivery", "hours", "number"}
_VALUE = re.compile(r"%\((\w+)\)s")
_ENDS = re.compile(r"(?<=[.:!?;]) ")
_BATCH = 2000


def _expression(sentence):
    parts = _VALUE.split(sentence)
    return re.compile(
        "".join(f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)),
        re.DOTALL,
    )


_EXPRESSIONS = [(_expression(sentence), code) for sentence, code in PATTERNS]


def message_for(text, limit):
    """The code and parameters of a text in a column of so many characters."""
    if found := _known(text, limit):
        return found
    messages, sentences = [], _ENDS.split(text)
    while sentences:
        # One message may be two sentences: the longest counts.
        sizes = range(len(sentences), 0, -1)
        size, found = next(
            ((size, known) for size in sizes if (known := _known(" ".join(sentences[:size]), 0))),
            (1, ("text", {"text": sentences[0]})),
        )
        sentences = sentences[size:]
        if messages and found[0] == messages[-1][0] == "text":
            messages[-1][1]["text"] += f" {found[1]['text']}"
        else:
            messages.append(found)
    if len(messages) == 1:
        return messages[0]
    return "sequence", {"messages": [{"code": code, "params": params} for code, params in messages]}


def _known(text, limit):
    if text in SENTENCES:
        return SENTENCES[text], {}
    if len(text) == limit:  # Cut off: what it began with.
        for sentence, code in SENTENCES.items():
            if sentence.startswith(text):
                return code, {}
    for expression, code in _EXPRESSIONS:
        if found := expression.fullmatch(text):
            return code, {name: _value(name, value) for name, value in found.groupdict().items()}
    return None


def _value(name, value):
    if name in _TEXTS:
        code, params = message_for(value, 0)
        return {"code": code, "params": params}
    return int(value) if name in _NUMBERS and value.isdecimal() else value


def carry_over(apps, schema_editor):
    """Without one long transaction, so that the version before goes on; a second run takes up what is left."""
    for model, column, limit, message in COLUMNS:
        rows = apps.get_model("connect", model).objects.using(schema_editor.connection.alias).order_by("pk")
        left = rows.filter(**{f"{message}_code": ""}).exclude(**{column: ""})
        last = 0
        while batch := list(left.filter(pk__gt=last).values_list("pk", column)[:_BATCH]):
            by_text = {}
            for pk, text in batch:
                by_text.setdefault(text, []).append(pk)
            for text, pks in by_text.items():
                code, params = message_for(text, limit)
                unchanged = left.filter(pk__in=pks, **{column: text})
                unchanged.order_by().update(**{f"{message}_code": code, f"{message}_params": params})
            last = batch[-1][0]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("connect", "0016_message_codes")]

    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        # The columns stay in the database: the version before writes them, and they have defaults for ours.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(migrations.RemoveField(model, column) for model, column, _limit, _message in COLUMNS),
                migrations.RemoveField("ErasureRecord", "label"),
            ]
        ),
    ]
