"""Every text is there in every language, with the same holes, in all plural forms; none unused."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

import monigo
from monigo.core.errors import InvariantError
from monigo.core.languages import tag_fault
from monigo.core.money import Money
from monigo.infra.languages import CODES, language_of

SOURCE = Path(monigo.__file__).parent
FILES = {path.stem: json.loads(path.read_text()) for path in (SOURCE / "locales").glob("*.json")}
ENGLISH = FILES["en"]
HOLE = re.compile(r"\{(\w+)\}")
LAGOS = ZoneInfo("Africa/Lagos")
OTHERS = [code for code in CODES if code != "en"]
# Keys that are put together of parts: `f"receipt.{purpose}"` stands for all that begin so.
CODE = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
IN_CODE = set(re.findall(r'"(?:mail\.|label\.)?([a-z_]+(?:\.[a-z_0-9]+)*)"', CODE))
PUT_TOGETHER = re.compile(r"(receipt|payment_failed|card_expired|card_expiring)\.\w+")


def forms(text):
    return text if isinstance(text, dict) else {"other": text}


def holes(text):
    return set().union(*(HOLE.findall(form) for form in forms(text).values()))


def test_there_is_a_file_for_each_language_and_no_other():
    assert set(FILES) == set(CODES)


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_with_the_same_holes(code):
    texts = FILES[code]

    assert set(texts) == set(ENGLISH)
    assert {key: holes(text) for key, text in texts.items()} == {
        key: holes(text) for key, text in ENGLISH.items()
    }
    assert [key for key, text in texts.items() if not all(forms(text).values())] == []


@pytest.mark.parametrize("code", CODES)
def test_a_counting_text_has_the_plural_forms_of_its_language(code):
    wanted = {*Locale(code).plural_form.tags, "other"}

    counting = {key: set(text) for key, text in FILES[code].items() if isinstance(text, dict)}

    assert counting == dict.fromkeys(counting, wanted)
    assert "mail.invoice_overdue.days" in counting


def test_no_text_is_left_that_nothing_says():
    spoken = {key.removeprefix("mail.").removeprefix("label.") for key in ENGLISH}

    unused = {key for key in spoken if key not in IN_CODE and not PUT_TOGETHER.fullmatch(key)}

    assert unused == set()


@pytest.mark.parametrize(
    ("tags", "country", "written"),
    [
        (("fr-SN", "en"), "NG", "fr-SN"),
        (("", "fr"), "CI", "fr-CI"),
        (("zu", "pt"), "MZ", "pt-MZ"),
        (("zu", ""), "", "en"),
        (("AR-eg",), "NG", "ar-EG"),
    ],
)
def test_the_first_language_that_we_have_is_written_and_english_else(tags, country, written):
    assert language_of(*tags, country=country).tag == written


@pytest.mark.parametrize(
    ("count", "arabic"),
    [(1, "يوماً واحداً"), (2, "يومين"), (3, "أيام"), (11, "يوماً"), (100, "يوم")],
)
def test_arabic_counts_by_its_own_forms(count, arabic):
    text = language_of("ar").text("mail.invoice_overdue.days", count=count)

    assert arabic in text


def test_what_is_put_into_an_arabic_text_keeps_its_own_direction():
    text = language_of("ar").text("mail.hello", name="Ada (Lagos)")

    assert "\u2068Ada (Lagos)\u2069" in text


def test_a_hole_in_a_value_stays_as_it_is():
    assert language_of("en").text("mail.hello", name="{organization}") == "Hello {organization},"


def test_a_text_that_there_is_none_of_is_a_fault_of_ours():
    with pytest.raises(InvariantError, match=r"mail\.nothing"):
        language_of("fr").text("mail.nothing")


@pytest.mark.parametrize(
    ("tag", "amount", "currency", "written"),
    [
        ("en-NG", "1234567.5", "NGN", "₦1,234,567.50"),
        ("fr-SN", "1500", "XOF", "1\u202f500\u00a0F\u202fCFA"),
        ("pt-MZ", "-2.5", "USD", "-2,50\u00a0$"),
        ("en-KE", "10", "KES", "Ksh\u00a010.00"),
        ("en-NG", "0.000001", "NGN", "₦0.000001"),
        ("en-NG", "99999999999999999.123456", "NGN", "₦99,999,999,999,999,999.123456"),
    ],
)
def test_an_amount_has_all_its_digits_and_the_currencys_own_sign(tag, amount, currency, written):
    assert language_of(tag).amount(Money(Decimal(amount), currency)) == written


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ((2026, 10, 31, 23), (2026, 11, 30, 23), "1–30 Nov 2026"),  # noqa: RUF001 - as CLDR has it
        ((2026, 11, 14, 23), (2026, 12, 14, 23), "15 Nov 2026 – 14 Dec 2026"),  # noqa: RUF001 - as above
        ((2026, 11, 14, 23), (2026, 11, 15, 23), "15 Nov 2026"),
        ((2026, 11, 14, 23), (2026, 11, 14, 23), "15 Nov 2026"),
    ],
)
def test_a_period_is_written_as_its_first_and_last_day_in_the_zone(start, end, written):
    instants = [datetime(*one, tzinfo=UTC) for one in (start, end)]

    text = language_of("en-NG").days(*instants, LAGOS)

    assert text.replace("\u2009", " ") == written


@pytest.mark.parametrize("tag", ["en", "fr-SN", "zu", "es-419"])
def test_a_language_may_be_one_that_we_have_no_texts_in(tag):
    assert tag_fault(tag) is None


@pytest.mark.parametrize("tag", ["EN", "pt_BR", "xx", "fr-ZZZ", "", " en", "zh-Hant-TW", "a" * 99])
def test_what_is_no_tag_of_a_language_is_refused(tag):
    assert "must be a language" in tag_fault(tag)
