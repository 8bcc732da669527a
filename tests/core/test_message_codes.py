"""Messages that are stored as codes with parameters."""

from collections import Counter

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core.message_codes import CommonMessage, Message, MessageCatalog, render


class RunMessage(MessageCatalog):
    FULL = "run.full", _("Charging")
    SHARE = "run.share", "%(name)s has 100 %% (%(times)s times)"
    CAUSED = "run.caused", "It failed: %(why)s"


def test_a_code_is_rendered_in_the_active_language() -> None:
    with translation.override("de"):
        assert render("run.full") != "Charging"
    assert render("run.full") == "Charging"


def test_parameters_are_inserted_unchanged() -> None:
    message = RunMessage.SHARE.message(name="50 % of %(x)s", times=3)
    assert (message.code, message.params) == ("run.share", {"name": "50 % of %(x)s", "times": 3})
    assert str(message) == "50 % of %(x)s has 100 % (3 times)"


def test_a_nested_message_is_translated_too() -> None:
    message = RunMessage.CAUSED.message(why=RunMessage.FULL.message())
    assert message.params == {"why": {"code": "run.full", "params": {}}}
    assert str(message) == "It failed: Charging"
    with translation.override("de"):
        assert "Charging" not in str(message)


def test_a_sequence_joins_several_messages() -> None:
    text = CommonMessage.TEXT.message(text="Come back on Monday.")
    assert (
        str(CommonMessage.SEQUENCE.message(messages=[text, text]))
        == "Come back on Monday. Come back on Monday."
    )


def test_an_unknown_code_and_a_missing_parameter_are_still_displayed() -> None:
    assert render("run.of_a_later_version", {"x": 1}) == "run.of_a_later_version"
    assert render("") == ""
    assert render("run.caused", None) == "It failed: …"
    assert not Message()


def test_no_two_catalogs_share_a_code() -> None:
    codes = Counter(code for catalog in MessageCatalog.__subclasses__() for code in catalog.values)
    assert [code for code, count in codes.items() if count > 1] == []
