"""The steps of a fleet's set-up: what each is, what to do next, and what is known once it is done."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class SetupTask(StrEnum):
    """What a fleet needs before its cars deliver, in order."""

    CREDENTIALS = "credentials"
    WEBHOOK = "webhook"
    VERIFIED = "verified"
    INVITED = "invited"
    CAR = "car"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class StepText:
    """`action` is the label of a link to the page `view`; "" where there is nothing to press."""

    title: str | Promise
    to_do: str | Promise
    done: str | Promise
    action: str | Promise = ""
    view: str = ""


WORDS = {
    SetupTask.CREDENTIALS: StepText(
        title=_("Credentials of the Smartcar application"),
        to_do=_(
            "Enter them in this site's settings, then have them tested: the test says which one is wrong, and why."
        ),
        done=_("Smartcar takes them."),
        action=_("Test the credentials"),
        view="connect:integration",
    ),
    SetupTask.WEBHOOK: StepText(
        title=_("Webhook in Smartcar's dashboard"),
        to_do=_("Make a webhook there with this address, and enter its ID in this site's settings."),
        done=_("Its ID is entered in this site's settings."),
    ),
    SetupTask.VERIFIED: StepText(
        title=_("Address verified by Smartcar"),
        to_do=_(
            "Press “Verify” on the webhook's page in Smartcar's dashboard. Smartcar then asks this address whether it "
            "is yours."
        ),
        done=_("Smartcar asked the webhook's address, and was answered."),
    ),
    SetupTask.INVITED: StepText(
        title=_("A driver invited, or a car of your own"),
        to_do=_(
            "A driver gets a personal link. If you have the car's account at its maker yourself, connect it yourself."
        ),
        done=_("The first one is asked."),
        action=_("Invite a driver"),
        view="connect:invitations",
    ),
    SetupTask.CAR: StepText(
        title=_("First car"),
        to_do=_("It shows here as soon as somebody has allowed access to it."),
        done=_("It is connected."),
        action=_("Connect a vehicle"),
        view="connect:start",
    ),
    SetupTask.DELIVERY: StepText(
        title=_("First delivery"),
        to_do=_(
            "It comes by itself, mostly within minutes of connecting. The inbox shows what arrived, and what went "
            "wrong with it."
        ),
        done=_("The car's data arrives."),
        action=_("Open the inbox"),
        view="webhooks:log",
    ),
}


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One step as a page shows it; `current` is the one to do now."""

    step: SetupTask
    words: StepText
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """The steps that are done, and the webhook's address for Smartcar's dashboard."""

    done: frozenset[SetupTask]
    address: str

    @property
    def lines(self) -> list[ChecklistItem]:
        """Each step in order."""
        current = next((step for step in SetupTask if step not in self.done), None)
        return [ChecklistItem(step, WORDS[step], step in self.done, step is current) for step in SetupTask]

    @property
    def total(self) -> int:
        return len(SetupTask)

    @property
    def complete(self) -> bool:
        return len(self.done) == self.total

    @property
    def address_needed(self) -> bool:
        """Until Smartcar has asked it, somebody may have to enter it."""
        return not {SetupTask.WEBHOOK, SetupTask.VERIFIED} <= self.done

    @property
    def version(self) -> str:
        """Names the done steps, so that an open page can tell what is new."""
        return ".".join(step for step in SetupTask if step in self.done)

    def news_since(self, version: str) -> list[str]:
        """The titles of the steps that are done now and were not in this version."""
        before = version.split(".")
        return [str(WORDS[step].title) for step in SetupTask if step in self.done and step not in before]
