from core.leases import Lease as Lease
from core.mail.models import OutgoingEmail as OutgoingEmail
