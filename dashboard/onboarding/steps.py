"""The steps of a fleet's setup: what each is, what to do next, and what is known once it is done."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class SetupTask(StrEnum):
    """What a fleet needs before its vehicles deliver data, in order."""

    CREDENTIALS = "credentials"
    WEBHOOK = "webhook"
    VERIFIED = "verified"
    INVITED = "invited"
    VEHICLE = "vehicle"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class StepText:
    """The texts of a step. `action` is the label of a link to `view`; "" for a step without a link."""

    title: str | Promise
    to_do: str | Promise
    done: str | Promise
    action: str | Promise = ""
    view: str = ""


STEP_TEXTS = {
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
    SetupTask.VEHICLE: StepText(
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
    """One step for display; `current` marks the one to do now."""

    step: SetupTask
    text: StepText
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """The completed steps, and the webhook URL for Smartcar's dashboard."""

    done: frozenset[SetupTask]
    address: str

    @property
    def lines(self) -> list[ChecklistItem]:
        """All steps in order."""
        current = next((step for step in SetupTask if step not in self.done), None)
        return [
            ChecklistItem(step, STEP_TEXTS[step], step in self.done, step is current) for step in SetupTask
        ]

    @property
    def total(self) -> int:
        return len(SetupTask)

    @property
    def complete(self) -> bool:
        return len(self.done) == self.total

    @property
    def address_needed(self) -> bool:
        """Whether the webhook URL may still have to be entered: until Smartcar has verified it."""
        return not {SetupTask.WEBHOOK, SetupTask.VERIFIED} <= self.done

    @property
    def version(self) -> str:
        """The completed steps as a string, so that open pages can detect changes."""
        return ".".join(step for step in SetupTask if step in self.done)

    def completed_since(self, version: str) -> list[str]:
        """Returns the titles of the steps that are done now but weren't in this version."""
        before = version.split(".")
        return [str(STEP_TEXTS[step].title) for step in SetupTask if step in self.done and step not in before]
