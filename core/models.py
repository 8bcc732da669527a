from core.mail.models import OutgoingEmail as OutgoingEmail
