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
        title=_("Enter the Smartcar credentials"),
        to_do=_(
            "Enter the credentials in the server configuration, then test them. The test shows "
            "which one is incorrect and why."
        ),
        done=_("Smartcar accepts the credentials."),
        action=_("Test credentials"),
        view="connect:integration",
    ),
    SetupTask.WEBHOOK: StepText(
        title=_("Create a webhook in the Smartcar dashboard"),
        to_do=_("Create a webhook with the URL below, then enter its ID in the server configuration."),
        done=_("The webhook ID is set in the server configuration."),
    ),
    SetupTask.VERIFIED: StepText(
        title=_("Verify the webhook URL"),
        to_do=_(
            "On the webhook's page in the Smartcar dashboard, select “Verify”. Smartcar then "
            "sends a request to the URL to confirm that it's yours."
        ),
        done=_("Smartcar verified the webhook URL."),
    ),
    SetupTask.INVITED: StepText(
        title=_("Invite a driver or connect your own vehicle"),
        to_do=_(
            "Drivers get a personal link. If you have the vehicle's manufacturer account "
            "yourself, connect the vehicle directly."
        ),
        done=_("A driver was invited or a vehicle was connected."),
        action=_("Invite a driver"),
        view="connect:invitations",
    ),
    SetupTask.CAR: StepText(
        title=_("Connect the first vehicle"),
        to_do=_("The vehicle appears here as soon as its driver grants access."),
        done=_("The first vehicle is connected."),
        action=_("Connect a vehicle"),
        view="connect:start",
    ),
    SetupTask.DELIVERY: StepText(
        title=_("Receive the first delivery"),
        to_do=_(
            "The first delivery usually arrives within minutes of connecting a vehicle. The "
            "webhook log shows every delivery and any errors."
        ),
        done=_("Vehicle data is arriving."),
        action=_("Open webhook log"),
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
