from celery import shared_task

from accounts.letters import services as letters
from accounts.members import services as members


@shared_task
def mail_letter(letter_id: int) -> None:
    """Sends one letter about somebody's account."""
    letters.send(letter_id=letter_id)


@shared_task
def mail_member_invitation(invitation_id: int) -> None:
    """Sends one invitation to a fleet."""
    members.mail(invitation_id=invitation_id)


@shared_task
def mail_unsent() -> None:
    """Sends what a lost doorbell or a mail server in trouble left unsent."""
    for letter_id in letters.unsent():
        letters.send(letter_id=letter_id)
    for invitation_id in members.unmailed():
        members.mail(invitation_id=invitation_id)
    letters.forget()
