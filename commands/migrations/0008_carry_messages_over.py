"""Carries messages of the version before (0.1) over to codes, by the texts which that version wrote."""

import json
import re

from django.db import migrations

SMARTCAR_ERRORS = {
    "smartcar.connected_services_account.account_issue": "The maker refused the request: something is to be settled in the driver's account. Have the driver sign in to the maker's app and finish what it asks for.",
    "smartcar.connected_services_account.authentication_failed": "The maker no longer accepts the driver's sign-in, for example after a new password. Have the driver connect the car again.",
    "smartcar.connected_services_account.no_vehicles": "The driver's account at the maker has no car any more. Have the driver add the car there, then connect again.",
    "smartcar.connected_services_account.permission": "The driver's account at the maker may not do this with the car. Have the driver connect the car again.",
    "smartcar.connected_services_account.subscription": "The maker refused the request: the car's connected services have ended or were never started. Have the driver renew them in the maker's app.",
    "smartcar.connected_services_account.vehicle_missing": "The car is no longer in the driver's account at the maker. Have the driver add it there, then connect again.",
    "smartcar.connected_services_account.virtual_key_required": "The car takes no commands from us: it has no virtual key for Smartcar yet. Have the driver add it with the maker's app.",
    "smartcar.vehicle_state.asleep": "The car is asleep, and the request was not sent, to spare its battery. Try again when it is in use.",
    "smartcar.vehicle_state.door_open": "The car could not be locked: a door is open. Close all doors and try again.",
    "smartcar.vehicle_state.hood_open": "The car refused: its hood is open. Close it and try again.",
    "smartcar.vehicle_state.trunk_open": "The car refused: its trunk is open. Close it and try again.",
    "smartcar.vehicle_state.ignition_on": "The car refused: it is switched on. Switch it off and try again.",
    "smartcar.vehicle_state.in_motion": "The car refused: it is moving. Try again when it stands.",
    "smartcar.vehicle_state.low_battery": "The car refused: its battery is too low. Charge it and try again.",
    "smartcar.vehicle_state.charging_plug_not_connected": "The car refused: it is not plugged in. Plug it in and try again.",
    "smartcar.vehicle_state.charging_plug_connected": "The car refused: it is plugged in. Unplug it and try again.",
    "smartcar.vehicle_state.charging_in_progress": "The car charges already. Nothing is left to do.",
    "smartcar.vehicle_state.not_charging": "The car does not charge. Nothing is left to stop.",
    "smartcar.vehicle_state.fully_charged": "The car is fully charged. Nothing is left to do.",
    "smartcar.vehicle_state.charge_fault": "The car refused: its own charging schedule is in the way. Change that in the car or the maker's app.",
    "smartcar.vehicle_state.remote_access_disabled": "The car refused: remote access is switched off in it. Have the driver switch it on in the car's settings.",
    "smartcar.vehicle_state.unreachable": "The car could not be reached, most likely for want of mobile coverage. Try again when it has moved.",
    "smartcar.vehicle_state.vehicle_offline_for_service": "The car is in service mode and takes no requests. Try again when the service is over.",
    "smartcar.vehicle_state.device_pairing_required": "The car takes no commands from us: it wants a paired device. Have the driver finish the pairing in the maker's app.",
    "smartcar.rate_limit.vehicle": "Too many requests for this car in a short time; Smartcar spares its battery. Wait a few minutes and try again.",
    "smartcar.billing.vehicle_request_limit": "This month's requests for the car are used up. It works again when the month turns, or with a larger plan.",
    "smartcar.billing.vehicle_limit": "The Smartcar plan has no room for another car. The car is not at fault. Whoever runs this site should enlarge the plan or remove a car.",
    "smartcar.billing.account_suspended": "Smartcar has suspended our account over an unpaid bill. The car is not at fault. Whoever runs this site should settle it with Smartcar.",
    "smartcar.no_answer.timeout": "Smartcar did not answer in time, so we cannot tell what became of the request. Wait for the car's next report.",
    "smartcar.not_sent.unsupported": "Smartcar's older API (v2), which this car is connected with, has no such command, so nothing was sent. It works once the fleet has changed to v3.",
    "smartcar.not_sent.no_room": "Smartcar lets us send only so many requests, and they are used up for the moment, so nothing was sent. Wait a few minutes and try again.",
    "smartcar.not_sent.car_rests": "Smartcar asked us to leave this car alone for a while, to spare its battery, so nothing was sent. Wait a few minutes and try again.",
    "smartcar.not_sent.no_allowance": "This month's requests for the car are used up, so it is no longer read by itself. That goes on when the month turns. Commands and a reading by hand still go.",
    "smartcar.not_sent.host_down": "Smartcar has not answered several times in a row, so nothing was sent. Wait half a minute and try again.",
    "smartcar.not_sent.connect_failed": "Smartcar could not be reached, so nothing was sent. Wait a few minutes and try again.",
    "smartcar.authentication": "Smartcar did not accept our sign-in for this request. Try again; if that stays, whoever runs this site should check the Smartcar credentials in its settings.",
    "smartcar.invalid_client": "Smartcar does not accept our credentials. The car is not at fault. Whoever runs this site should check them in the settings.",
    "smartcar.unauthorized_client": "Smartcar does not allow our application to do this, for example with this make. The car is not at fault. Whoever runs this site should ask Smartcar.",
    "smartcar.invalid_grant": "The driver's permission has ended, or the link was used before. Have the driver connect the car again.",
    "smartcar.billing": "Our Smartcar plan does not cover this request. The car is not at fault. Whoever runs this site should look at the plan in Smartcar's dashboard.",
    "smartcar.compatibility": "This car cannot do that through Smartcar. Nothing can be done from here.",
    "smartcar.connected_services_account": "The maker refused the request because of the driver's account there. Have the driver connect the car again.",
    "smartcar.gateway": "Smartcar has a problem at the moment. Wait a few minutes and try again.",
    "smartcar.no_answer": "The connection to Smartcar broke, so we cannot tell what became of the request. Wait for the car's next report.",
    "smartcar.not_sent": "We could not make this request, so nothing was sent. The car is not at fault. Whoever runs this site should look at the site's log.",
    "smartcar.permission": "The driver did not allow this. Have the driver connect the car again.",
    "smartcar.rate_limit": "We have sent Smartcar too many requests in a short time. Wait a few minutes and try again.",
    "smartcar.resource_not_found": "Smartcar does not know this car or this connection any more. If that stays, have the driver connect the car again.",
    "smartcar.server": "Smartcar has a problem at the moment. Wait a few minutes and try again.",
    "smartcar.unreadable_answer": "Smartcar sent an answer that we cannot read, so we cannot tell what became of the request. Wait for the car's next report.",
    "smartcar.upstream": "The maker's service has a problem at the moment. Wait a few minutes and try again.",
    "smartcar.validation": "Smartcar did not accept the form of our request. The car is not at fault. Whoever runs this site should look at the site's log.",
    "smartcar.vehicle_state": "The car refused because of the state it is in. Look at the car and try again.",
    "smartcar.unknown": "Smartcar refused the request and gave a reason that we do not know. The car is not at fault. Whoever runs this site should look at the site's log.",
}
PENDING = {
    "command.pending.lock": "The car's next lock signal will tell.",
    "command.pending.charging": "The car's next charging signal will tell.",
    "command.pending.charge_limit": "The car's next charge limit signal will tell.",
    "command.pending.charge_port": "The car's next charge port signal will tell.",
    "command.pending.charge_schedule": "The car's next charge schedule signal will tell.",
    "command.pending.other": "No signal of the car will tell: look at its screen, or ask its driver.",
}
NOT_REPORTED = {
    "command.not_reported.lock": "The car accepted it, but has not reported its lock since. Look at the car, or read it again.",
    "command.not_reported.charging": "The car accepted it, but has not reported its charging since. Look at the car, or read it again.",
    "command.not_reported.charge_limit": "The car accepted it, but has not reported its charge limit since. Look at the car, or read it again.",
    "command.not_reported.charge_port": "The car accepted it, but has not reported its charge port since. Look at the car, or read it again.",
    "command.not_reported.charge_schedule": "The car accepted it, but has not reported its charge schedule since. Look at the car, or read it again.",
    "command.not_reported.other": "The car took it. Cars do not report this, so nothing will confirm it: its screen shows it.",
}
CONTRADICTED = {
    "command.contradicted.lock": "The car reports another lock since, so it was not carried out. Ask again if it is still wanted.",
    "command.contradicted.charging": "The car reports another charging since, so it was not carried out. Ask again if it is still wanted.",
    "command.contradicted.charge_limit": "The car reports another charge limit since, so it was not carried out. Ask again if it is still wanted.",
    "command.contradicted.charge_port": "The car reports another charge port since, so it was not carried out. Ask again if it is still wanted.",
    "command.contradicted.charge_schedule": "The car reports another charge schedule since, so it was not carried out. Ask again if it is still wanted.",
    "command.contradicted.other": "The car reports another state since, so it was not carried out. Ask again if it is still wanted.",
}

OTHERS = {
    "command.too_late": (
        "It could not be sent in time, so it was not sent at all. Repeat it if it is still wanted."
    ),
    "command.nothing_sent": (
        "Sending was interrupted before anything was sent. Repeat it if it is still wanted."
    ),
    "command.connection_ended": (
        "The car's connection ended meanwhile, so it was not sent. Ask the driver to connect it again."
    ),
    "command.not_carried_out": "Smartcar reports that the car did not carry it out. Try again.",
    "command.retrying": "No clear answer came. It is tried again.",
    "command.already_in_state": (
        "The car accepted it. It had reported being so before, and cars report changes, so nothing came to confirm it."
    ),
    "tokens.grant_ended": "The driver's permission has ended. Ask the driver to connect the car again.",
    "tokens.refresh_timeout": "Renewing the token takes too long. Try again in a minute.",
}
CODES = {
    text: code
    for texts in (SMARTCAR_ERRORS, PENDING, NOT_REPORTED, CONTRADICTED, OTHERS)
    for code, text in texts.items()
}
CANCELED = re.compile(r"Cancelled by (?P<person>.+)\.", re.DOTALL)
OUTCOME_UNKNOWN = {
    "command.interrupted": "Sending was interrupted. ",
    "command.no_clear_answer": "No clear answer came. ",
    "command.answer_lost": "An answer was lost, then: ",
}
_BATCH = 20_000
_DISTINCT = """
    SELECT DISTINCT message, state, error_type, error_code FROM commands_command WHERE message <> ''
    UNION
    SELECT DISTINCT event.detail, event.state, command.error_type, command.error_code
    FROM commands_change AS event JOIN commands_command AS command ON command.id = event.command_id
    WHERE event.detail <> ''
"""
_TABLE = """
    CREATE TEMPORARY TABLE commands_carried (
        text varchar(300), state varchar(12), error_type varchar(60), error_code varchar(60),
        message_code varchar(80), message_params jsonb, smartcar_message varchar(500),
        PRIMARY KEY (text, state, error_type, error_code)
    )
"""
_CARRY_COMMANDS = """
    UPDATE commands_command AS command
    SET message_code = carried.message_code,
        message_params = carried.message_params,
        smartcar_message = carried.smartcar_message
    FROM commands_carried AS carried
    WHERE command.id > %s AND command.id <= %s AND command.message_code = ''
        AND (carried.text, carried.state, carried.error_type, carried.error_code)
            = (command.message, command.state, command.error_type, command.error_code)
"""
_CARRY_EVENTS = """
    UPDATE commands_change AS event
    SET message_code = carried.message_code,
        message_params = carried.message_params,
        smartcar_message = carried.smartcar_message
    FROM commands_carried AS carried, commands_command AS command
    WHERE event.id > %s AND event.id <= %s AND event.message_code = '' AND command.id = event.command_id
        AND (carried.text, carried.state, carried.error_type, carried.error_code)
            = (event.detail, event.state, command.error_type, command.error_code)
"""


def carried(text, state, error_type, error_code):
    """The code, the parameters, and what Smartcar itself said, of a text that 0.1 wrote."""
    if code := CODES.get(text):
        return code, {}, ""
    if canceled := CANCELED.fullmatch(text):
        return "command.canceled", canceled.groupdict(), ""
    for code, start in OUTCOME_UNKNOWN.items():
        if text.startswith(start) and (found := _pending(text.removeprefix(start))):
            error, pending = found
            params = {"pending": {"code": pending, "params": {}}}
            if code != "command.answer_lost":
                return code, params, ""
            known = CODES.get(error)
            params["error"] = {"code": known or _error_code(error_type, error_code), "params": {}}
            return code, params, "" if known else error
    if state == "refused" and error_type:
        # Only Smartcar's own message for the driver is left.
        return _error_code(error_type, error_code), {}, text
    return "text", {"text": text}, ""


def _pending(text):
    """What stands before the sentence about what will settle the command, and the code of that sentence."""
    for code, sentence in PENDING.items():
        if text.endswith(sentence):
            return text.removesuffix(sentence).rstrip(), code
    return None


def _error_code(error_type, error_code):
    for name in (f"{error_type}.{error_code}", error_type):
        if (code := f"smartcar.{name.lower()}") in SMARTCAR_ERRORS:
            return code
    return "smartcar.unknown"


def carry_over(apps, schema_editor):
    """In batches with a transaction each, so that commands go on beside a long history."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_DISTINCT)
        rows = cursor.fetchall()
        cursor.execute(_TABLE)
        for row in rows:
            code, params, smartcar_message = carried(*row)
            cursor.execute(
                "INSERT INTO commands_carried VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [*row, code, json.dumps(params), smartcar_message],
            )
        _in_batches(cursor, "commands_command", _CARRY_COMMANDS)
        _in_batches(cursor, "commands_change", _CARRY_EVENTS)
        cursor.execute("DROP TABLE commands_carried")


def _in_batches(cursor, table, statement):
    cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM {table}")  # noqa: S608
    first, last = cursor.fetchone()
    for below in range(first - 1, last, _BATCH):
        cursor.execute(statement, [below, below + _BATCH])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("commands", "0007_message_codes")]

    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        # The columns stay in the database: the version before writes them, and ours has a default for them.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("command", "message"),
                migrations.RemoveField("commandevent", "detail"),
            ]
        ),
    ]
