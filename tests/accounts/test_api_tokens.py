"""API tokens: stored as hashes only, bound to a user and a fleet, invalid once expired or revoked."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import ApiToken, AuditLogEntry, Fleet, Membership, User
from accounts.tokens.selectors import list_tokens
from accounts.tokens.services import TokenNotAllowed, find_token, issue_token, revoke_token, touch


def membership(user: User) -> Membership:
    return Membership.objects.select_related("user", "fleet").get(user=user)


def create_token(*args: str) -> str:
    out = io.StringIO()
    call_command("create_api_token", *args, stdout=out)
    return out.getvalue().strip()


def test_a_token_is_found_by_its_secret_and_its_secret_is_stored_nowhere(owner: User, fleet: Fleet) -> None:
    issued = issue_token(membership=membership(owner), name="Reports")
    assert find_token(secret=issued.secret) == issued.token
    assert issued.secret.startswith(issued.token.prefix)
    stored = str(list(ApiToken.objects.values())) + str(list(AuditLogEntry.objects.values()))
    assert issued.secret not in stored
    assert issued.secret not in repr(issued)


@pytest.mark.parametrize("wrong", ["", "scf_", "scf_nothing", "\x00", "ünïcode"])
def test_a_wrong_secret_finds_nothing(owner: User, fleet: Fleet, wrong: str) -> None:
    issue_token(membership=membership(owner), name="Reports")
    assert find_token(secret=wrong) is None


def test_a_revoked_token_is_invalid_and_revoked_once(owner: User, fleet: Fleet) -> None:
    issued = issue_token(membership=membership(owner), name="Reports")
    assert revoke_token(token=issued.token, actor=owner)
    assert not revoke_token(token=issued.token, actor=owner)
    assert find_token(secret=issued.secret) is None
    assert ApiToken.objects.get().state == "revoked"


def test_an_expired_token_is_invalid(owner: User, fleet: Fleet) -> None:
    late = timezone.now() - timedelta(seconds=1)
    issued = issue_token(membership=membership(owner), name="Reports", expires_at=late)
    assert find_token(secret=issued.secret) is None
    assert issued.token.state == "expired"


def test_a_token_of_a_deactivated_user_is_invalid(owner: User, fleet: Fleet) -> None:
    issued = issue_token(membership=membership(owner), name="Reports")
    User.objects.update(is_active=False)
    assert find_token(secret=issued.secret) is None


def test_the_last_use_is_recorded_at_most_once_a_minute(owner: User, fleet: Fleet) -> None:
    token = issue_token(membership=membership(owner), name="Reports").token
    touch(token=token)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    touch(token=token)
    token.refresh_from_db()
    assert token.last_used_at == first


def test_a_driver_gets_no_token(driver: User) -> None:
    with pytest.raises(TokenNotAllowed, match="Driver"):
        issue_token(membership=membership(driver), name="Reports")


def test_owners_see_all_tokens_and_managers_their_own(owner: User, teammate: User) -> None:
    issue_token(membership=membership(owner), name="Mine")
    issue_token(membership=membership(teammate), name="Theirs")
    assert [token.name for token in list_tokens(membership=membership(owner))] == ["Theirs", "Mine"]
    assert [token.name for token in list_tokens(membership=membership(teammate))] == ["Theirs"]


def test_the_command_prints_the_token_and_nothing_else(owner: User, fleet: Fleet) -> None:
    secret = create_token(
        "--user", owner.email.upper(), "--fleet", fleet.slug, "--name", "Cron", "--days", "30"
    )
    token = find_token(secret=secret)
    assert token is not None
    assert (token.user, token.fleet, token.name) == (owner, fleet, "Cron")
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)


def test_the_command_rejects_non_members_drivers_and_invalid_days(
    owner: User, outsider: User, driver: User, fleet: Fleet
) -> None:
    for user, days, message in (
        (outsider, "1", "is not a member"),
        (driver, "1", "t have any access"),
        (owner, "0", "between 1 and 3650"),
    ):
        with pytest.raises(CommandError, match=message):
            create_token("--user", user.email, "--fleet", fleet.slug, "--days", days)
    assert not ApiToken.objects.exists()


def test_a_token_is_read_only_unless_created_to_send_commands(owner: User, fleet: Fleet) -> None:
    reading = issue_token(membership=membership(owner), name="Reports").token
    commanding = issue_token(membership=membership(owner), name="Night charging", may_command=True).token
    assert (reading.may_command, commanding.may_command) == (False, True)
    assert (
        AuditLogEntry.objects.filter(event=AuditEvent.TOKEN_CREATED, data__sends_commands=True).count() == 1
    )
    token = find_token(secret=create_token("--user", owner.email, "--fleet", "blue", "--may-command"))
    assert token is not None
    assert token.may_command


def test_viewers_cannot_create_tokens_that_send_commands(viewer: User) -> None:
    with pytest.raises(TokenNotAllowed, match=r"\(Viewer\) doesn.t allow sending commands"):
        issue_token(membership=membership(viewer), name="Night charging", may_command=True)
    assert not ApiToken.objects.exists()
