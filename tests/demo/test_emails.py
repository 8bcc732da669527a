"""The demo's emails: stored in a folder, readable on a page of the demo, and nowhere else."""

from pathlib import Path

import pytest
from django.core import mail
from django.core.checks import run_checks
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from demo.emails.folder import FolderBackend, list_emails, read_email

LINK = "http://127.0.0.1:8000/invitations/abc/?a=1&b=2"


@pytest.fixture(autouse=True)
def demo(settings: Settings, tmp_path: Path) -> None:
    settings.DEMO = True
    settings.DEMO_EMAIL_FOLDER = str(tmp_path / "emails")
    settings.SITE_URL = "http://127.0.0.1:8000"
    settings.ROOT_URLCONF = "demo.urls"
    settings.EMAIL_BACKEND = "demo.emails.folder.FolderBackend"


def send(subject: str = "Grüße", text: str = f"Open <this>:\n{LINK}\n") -> None:
    mail.EmailMessage(
        subject, text, "fleet@example.com", ["kim@example.com"], connection=FolderBackend()
    ).send()


def test_an_email_is_read_as_it_was_sent() -> None:
    send()
    (found,) = list_emails(limit=10)
    assert (found.subject, found.recipient, found.sender) == ("Grüße", "kim@example.com", "fleet@example.com")
    assert found.text == f"Open <this>:\n{LINK}"


def test_the_newest_emails_come_first(tmp_path: Path) -> None:
    for number in range(3):
        send(f"No. {number}")
        (path,) = [each for each in (tmp_path / "emails").glob("*.eml") if each.stem[0] != "0"]
        path.rename(path.with_name(f"000000000000{number}-0000000{number}.eml"))
    assert [each.subject for each in list_emails(limit=2)] == ["No. 2", "No. 1"]


@pytest.mark.parametrize("name", ["../demo", "0000000000000-00000000", "x" * 22, ""])
def test_no_other_file_can_be_read(name: str) -> None:
    send()
    assert read_email(name) is None


@pytest.mark.django_db
def test_the_pages_show_emails_with_working_links(client: Client) -> None:
    assert "No emails yet" in client.get("/demo/emails/").content.decode()
    send()
    page = client.get("/demo/emails/").content.decode()
    address = f"/demo/emails/{list_emails(limit=1)[0].name}/"
    assert address in page
    response = client.get(address)
    shown = response.content.decode()
    assert f'href="{LINK.replace("&", "&amp;")}"' in shown
    assert "Open &lt;this&gt;" in shown
    assert "no-store" in response["Cache-Control"]
    assert client.get("/demo/emails/0000000000000-00000000/").status_code == 404


@pytest.mark.django_db
def test_the_sign_in_page_of_a_demo_links_to_its_emails(client: Client) -> None:
    assert 'href="/demo/emails/"' in client.get("/accounts/sign-in/", follow=True).content.decode()


@pytest.mark.django_db
def test_without_a_demo_there_is_no_page(client: Client, settings: Settings) -> None:
    settings.DEMO, settings.ROOT_URLCONF = False, "fleet.urls"
    assert client.get("/demo/emails/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("demo:emails")


def problems() -> set[str]:
    return {each.id or "" for each in run_checks() if (each.id or "").startswith("demo.")}


def test_checks_accept_a_demo_on_this_machine() -> None:
    assert problems() == set()


def test_checks_reject_a_demo_for_others(settings: Settings) -> None:
    settings.SITE_URL = "https://fleet.example.com"
    assert problems() == {"demo.E001"}


@pytest.mark.parametrize(
    ("urls", "backend"),
    [
        ("demo.urls", "django.core.mail.backends.smtp.EmailBackend"),
        ("fleet.urls", "demo.emails.folder.FolderBackend"),
    ],
)
def test_checks_reject_the_demos_emails_in_production(settings: Settings, urls: str, backend: str) -> None:
    settings.DEMO, settings.ROOT_URLCONF, settings.EMAIL_BACKEND = False, urls, backend
    assert problems() == {"demo.E002"}
