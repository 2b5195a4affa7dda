"""The job contract: what a reminder may be, how it is refused, and when two are the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import jsonschema_rs
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from certmail_config.base.errors import ReminderRejected
from certmail_config.jobs.contract import schema
from certmail_config.jobs.reminder import DEFAULT_LIFE, Reminder, parse, parse_json
from support.data.sentences import foreign

MINIMAL: dict[str, Any] = {"tenant": "acme", "to": "ann@acme.example"}
FULL: dict[str, Any] = MINIMAL | {
    "name": "Ann Lee",
    "kind": "final",
    "campaign": "q4-2026",
    "campaign_name": "Q4 access review",
    "due_at": "2026-12-11T17:00:00+01:00",
    "pending": 3,
    "completed": 39,
    "link": "https://iga.acme.example/r/1?a=b#top",
    "locale": "de-CH",
    "time_zone": "Europe/Zurich",
    "manager": "boss@acme.example",
    "send_at": "2026-12-01T08:00:00Z",
    "expires_at": "2026-12-11T17:00:00+01:00",
    "priority": 0,
    "connection": "emea",
    "key": "q4/ann/1",
    "uncertain": "resend",
    "reply_to": "help@acme.example",
}
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ZONES = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def rejection(**fields: Any) -> ReminderRejected:
    with pytest.raises(ReminderRejected) as raised:
        parse(MINIMAL | fields)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__, "pydantic's own error repeats the record"
    return raised.value


def outcome(fields: dict[str, Any]) -> Reminder | ReminderRejected:
    try:
        return parse(MINIMAL | fields)
    except ReminderRejected as rejected:
        return rejected


def test_tenant_and_recipient_are_all_that_is_needed() -> None:
    reminder = parse(MINIMAL)
    assert (reminder.kind, reminder.priority) == ("reminder", 5)
    assert reminder.model_dump(exclude_none=True).keys() == {"tenant", "to", "kind", "priority"}


def test_every_field_is_taken_as_it_is_documented() -> None:
    reminder = parse(FULL)
    assert reminder.model_dump(exclude_none=True).keys() == FULL.keys()
    assert reminder.due_at == datetime(2026, 12, 11, 16, tzinfo=UTC)
    assert reminder.manager == "boss@acme.example"


def test_what_was_sealed_as_json_is_read_back_the_same() -> None:
    reminder = parse(FULL)
    assert Reminder.model_validate_json(reminder.model_dump_json(exclude_none=True)) == reminder


def test_numbers_may_be_written_as_text_as_csv_does() -> None:
    reminder = parse(MINIMAL | {"pending": " 12 ", "completed": "0", "priority": "9"})
    assert (reminder.pending, reminder.completed, reminder.priority) == (12, 0, 9)


class TestNumbers:
    """As files write them, digits only; in JSON whatever the schema calls a whole number."""

    @pytest.mark.parametrize(
        "text",
        ["true", "1.000", "1,000", "-0", "+3", "1_000", "\uff13", "٣", "1e2", "3.0", "0x3", "", " ", "3 000", "½", "³", "NaN", "Infinity", "9" * 5000],
        ids=lambda text: ascii(text)[:20],
    )  # fmt: skip
    @pytest.mark.parametrize("field", ["pending", "completed", "priority"])
    def test_in_a_file_anything_but_digits_is_refused_with_the_reason(
        self, field: str, text: str
    ) -> None:
        rejected = rejection(**{field: text})
        assert (rejected.field, rejected.code) == (field, "invalid_number")
        assert "digits only" in rejected.message or "more than any number" in rejected.message

    @pytest.mark.parametrize("value", [True, False, 3.5, float("inf"), float("nan"), [3], {"n": 3}])
    def test_what_is_no_whole_number_is_none_however_it_comes(self, value: object) -> None:
        for door in (parse, parse_json):
            found = refused(door, {"pending": value})
            assert (found.field, found.code, found.message) == (
                "pending",
                "invalid_number",
                "not a whole number such as 3",
            )

    @pytest.mark.parametrize(
        "text",
        ["3", "3.0", "3.00", "30e-1", "1e2", "-0", "0", "-0.0", "1000000", "1e6", "3.5", "-1", "1000001", "1e7", "true", "false", '"3"', '"true"',
         "null", "[]", "[3]", "{}", "1e308", "123456789012345678901234567890", "0.1e1", "-1e0"],
    )  # fmt: skip
    @pytest.mark.parametrize("field", ["pending", "completed", "priority"])
    def test_over_http_schema_and_server_agree(self, field: str, text: str) -> None:
        record = json.loads(f'{{"tenant": "acme", "to": "ann@acme.example", "{field}": {text}}}')
        valid = jsonschema_rs.validator_for(schema()).is_valid(record)
        assert isinstance(parse_json(record), Reminder) == valid

    def test_digits_are_taken_with_spaces_around_and_zeros_before(self) -> None:
        assert parse(MINIMAL | {"pending": "007", "completed": " 0 ", "priority": "9"}).pending == 7


def refused(door: Callable[[dict[str, Any]], object], fields: dict[str, Any]) -> ReminderRejected:
    """The first thing that is wrong, whichever door it came to."""
    try:
        found = door(MINIMAL | fields)
    except ReminderRejected as rejected:
        return rejected
    assert isinstance(found, list), found
    [first] = found
    assert isinstance(first, ReminderRejected)
    return first


ODD: list[Any] = [
    None, True, 5, -1, 3.5, 10**30, 10**400, "", " ", "x" * 5000, "\ud800", "a\ud800b", [], ["\ud800"], {}, {"a": "\ud800"}, "a@b", "ü@acme.example",
    "https://a..b", "2026-02-30T00:00:00Z", "tomorrow", "\0", "Zz", float("nan"),
]  # fmt: skip


@pytest.mark.parametrize("field", [*Reminder.model_fields, "nothing", "\ud800"], ids=ascii)
def test_whatever_is_given_no_librarys_sentence_reaches_whoever_gave_it(field: str) -> None:
    for value in ODD:
        for door in (parse, parse_json):
            try:
                found = door(MINIMAL | {field: value})
            except ReminderRejected as rejected:
                found = [rejected]
            for each in found if isinstance(found, list) else []:
                assert not foreign(f"{each.message} {each.remedy}"), (field, value)
                assert each.message.isprintable()
                assert (each.field or "").encode()


def test_spaces_around_a_value_do_not_count() -> None:
    reminder = parse({"tenant": " acme\n", "to": "\tann@acme.example ", "name": " Ann "})
    assert (reminder.tenant, reminder.to, reminder.name) == ("acme", "ann@acme.example", "Ann")


@pytest.mark.parametrize(
    "field", [field for field in FULL if field not in {"tenant", "to", "kind", "priority"}]
)
def test_nothing_else_is_required_and_null_is_nothing(field: str) -> None:
    assert getattr(parse(MINIMAL | {field: None}), field) is None


@pytest.mark.parametrize("field", ["tenant", "to"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(ReminderRejected) as raised:
        parse({name: value for name, value in FULL.items() if name != field})
    assert (raised.value.code, raised.value.field) == ("missing", field)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("reviewer", "x", "unknown_field"), ("To", "ann@acme.example", "unknown_field"), ("cc", "x", "unknown_field"),
        ("kind", "telegram", "unknown_kind"), ("kind", "Reminder", "unknown_kind"), ("kind", None, "unknown_kind"),
        ("tenant", "Acme", "invalid_name"), ("tenant", "", "invalid_name"), ("tenant", "-acme", "invalid_name"),
        ("tenant", "a" * 64, "invalid_name"), ("tenant", "acme/x", "invalid_name"), ("tenant", "ac\nme", "invalid_name"),
        ("tenant", "acmé", "invalid_name"), ("connection", "a b", "invalid_name"), ("connection", "a:b", "invalid_name"),
        ("due_at", "2026-12-11T17:00:00", "time_without_zone"), ("send_at", "2026-12-11", "time_without_zone"),
        ("due_at", "2026-02-30", "invalid_time"), ("due_at", "2026-12-11Z", "invalid_time"), ("due_at", "20261211", "invalid_time"),
        ("due_at", "0026-12-11", "invalid_time"), ("due_at", "9999-12-31", "invalid_time"), ("due_at", "٢٠٢٦-12-11", "invalid_time"),
        ("send_at", "2026-12-11 17:00", "time_without_zone"), ("expires_at", "2026-12-11T17:00", "time_without_zone"),
        ("due_at", datetime(2026, 12, 11), "time_without_zone"),  # noqa: DTZ001 - which is the point
        ("due_at", "11.12.2026", "invalid_time"), ("due_at", "12/11/2026 5:00 PM", "invalid_time"),
        ("due_at", "2026-13-11T17:00:00Z", "invalid_time"), ("due_at", "2026-02-30T17:00:00Z", "invalid_time"),
        ("due_at", "2026-12-11T25:00:00Z", "invalid_time"), ("due_at", "tomorrow", "invalid_time"),
        ("due_at", "", "invalid_time"), ("due_at", [], "invalid_time"), ("due_at", True, "invalid_time"),
        ("due_at", "2026-12-11T17:00:00 CET", "invalid_time"), ("due_at", "2026-12-11T17:00:00+25:00", "invalid_time"),
        ("pending", "three", "invalid_number"), ("pending", "", "invalid_number"), ("pending", -1, "invalid_number"),
        ("pending", "3.5", "invalid_number"), ("pending", 3.5, "invalid_number"), ("pending", 1_000_001, "invalid_number"),
        pytest.param("pending", "9" * 5000, "invalid_number", id="pending long"), ("completed", float("nan"), "invalid_number"),
        ("completed", float("inf"), "invalid_number"), ("completed", [1], "invalid_number"), ("completed", "٣x", "invalid_number"),
        ("priority", 10, "invalid_number"), ("priority", -1, "invalid_number"), ("priority", "high", "invalid_number"),
        pytest.param("name", "x" * 301, "too_long", id="name long"), pytest.param("campaign", "x" * 301, "too_long", id="campaign long"), pytest.param("campaign_name", "x" * 301, "too_long", id="campaign_name long"),
        pytest.param("key", "x" * 301, "too_long", id="key long"), pytest.param("link", "https://acme.example/" + "x" * 2000, "too_long", id="link long"),
        pytest.param("to", "x" * 310 + "@acme.example", "too_long", id="to long"), ("locale", "de-" + "x" * 40, "too_long"),
        ("key", "", "string_too_short"), ("key", "  ", "string_too_short"),
        ("name", 7, "string_type"), ("to", None, "string_type"), ("to", ["ann@acme.example"], "string_type"),
        ("name", "half \ud83d pair", "invalid_encoding"),
        ("campaign", "q4\0", "control_character"), ("campaign", "q4\r\n2026", "control_character"),
        ("campaign", "\x1b[31mq4", "control_character"),
        ("link", "javascript:alert(1)", "invalid_link"), ("link", "iga.acme.example/r/1", "invalid_link"),
        ("link", "https://", "invalid_link"), ("link", "https:///path", "invalid_link"), ("link", "ftp://acme.example/", "invalid_link"),
        ("link", "https://acme.example/\r\nX: y", "invalid_link"), ("link", "https://acme.example/a b", "invalid_link"),
        ("link", "https://acme.example/\u202e", "invalid_link"), ("link", "https://acme.example/\0", "invalid_link"),
        ("locale", "german", "invalid_locale"), ("locale", "x", "invalid_locale"), ("locale", "de; q=1", "invalid_locale"),
        ("locale", "../de", "invalid_locale"),
        ("time_zone", "Europe/Zürich", "unknown_time_zone"), ("time_zone", "UTC+1", "unknown_time_zone"),
        ("time_zone", "../../etc/passwd", "unknown_time_zone"), ("time_zone", "CEST", "unknown_time_zone"),
        ("time_zone", "localtime", "unknown_time_zone"), ("time_zone", "Factory", "unknown_time_zone"),
        ("time_zone", "posixrules", "unknown_time_zone"), ("time_zone", "Etc/Unknown", "unknown_time_zone"),
        ("manager", "boss", "invalid_address"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_field_is_said_by_a_code_and_the_fields_name(
    field: str, value: object, code: str
) -> None:
    rejected = rejection(**{field: value})
    assert (rejected.field, rejected.code) == (field, code)
    assert rejected.message


@pytest.mark.parametrize(
    "value", ["20261211", 20261211, "1764000000", 1764000000, 1764000000.5, "1764000000000", "17.5"]
)
@pytest.mark.parametrize("field", ["due_at", "send_at", "expires_at"])
def test_a_number_is_no_time_since_one_that_looks_like_a_date_would_be_a_day_in_1970(
    field: str, value: object
) -> None:
    assert rejection(**{field: value}).code == "invalid_time"


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+14:00", "0026-12-11T17:00:00Z", "9999-12-31T23:59:59-05:00"]
)
@pytest.mark.parametrize("field", ["due_at", "send_at", "expires_at"])
def test_a_time_at_the_end_of_all_calendars_is_refused_rather_than_overflowing_later(
    field: str, value: str
) -> None:
    assert rejection(**{field: value}).code == "invalid_time"


@pytest.mark.parametrize(
    "text",
    ["2026-12-11T17:00:00Z", "2026-12-11T17:00Z", "2026-12-11 18:00:00+01:00", "2026-12-11T17:00:00.000Z", "2026-12-11t17:00:00z"],
)  # fmt: skip
def test_a_time_may_be_written_in_every_way_that_rfc_3339_allows(text: str) -> None:
    assert parse(MINIMAL | {"due_at": text}).due_at == datetime(2026, 12, 11, 17, tzinfo=UTC)


@pytest.mark.parametrize("field", ["due_at", "send_at", "expires_at"])
def test_spaces_around_a_time_do_not_count_either(field: str) -> None:
    assert getattr(parse(MINIMAL | {field: " 2099-12-11T17:00:00Z\n"}), field) == datetime(
        2099, 12, 11, 17, tzinfo=UTC
    )


class TestADateAlone:
    """A date without a time is kept as one, and means until that day ends.

    Most of those who ask have a date, and no time.
    """

    @pytest.mark.parametrize("given", ["2026-12-31", " 2026-12-31\t", date(2026, 12, 31)])
    def test_is_kept_as_a_date(self, given: object) -> None:
        reminder = parse(MINIMAL | {"due_at": given})
        assert reminder.due_at == date(2026, 12, 31)
        assert not isinstance(reminder.due_at, datetime)
        assert json.loads(reminder.model_dump_json())["due_at"] == "2026-12-31"

    def test_is_taken_where_all_else_is_taken_strictly(self) -> None:
        found = parse_json({"tenant": "acme", "to": "ann@acme.example", "due_at": "2026-12-31"})
        assert isinstance(found, Reminder)
        assert found.due_at == date(2026, 12, 31)

    def test_is_the_same_day_wherever_the_reviewer_is_said_to_be(self) -> None:
        here, there = (
            parse(MINIMAL | {"due_at": "2026-12-31", "time_zone": zone})
            for zone in ("Asia/Tokyo", "Europe/Paris")
        )
        assert here.dedupe_source() == there.dedupe_source()
        assert here.dedupe_source() != parse(MINIMAL | {"due_at": "2027-01-01"}).dedupe_source()
        assert (
            here.dedupe_source() != parse(MINIMAL | {"due_at": "2026-12-31T00:00Z"}).dedupe_source()
        )


def test_a_reminder_that_expires_before_it_is_sent_is_refused() -> None:
    send, same = "2026-12-11T17:00:00Z", "2026-12-11T18:00:00+01:00"
    assert rejection(send_at=send, expires_at=same).code == "expires_before_send"
    parse(MINIMAL | {"send_at": send, "expires_at": "2026-12-11T17:00:01Z"})


def test_words_with_control_characters_are_left_to_the_composer_which_cleans_them() -> None:
    assert (
        parse(MINIMAL | {"name": "Ann\r\nBcc: eve@evil.example"}).name
        == "Ann\r\nBcc: eve@evil.example"
    )


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "", "n/a", "ann", "ann@", "@acme.example", "ann@acme", "ann@localhost", "ann(at)acme.example", "ann@@acme.example",
            "ann@acme,example", "ann@acme.example.", "ann@acme..example", ".ann@acme.example", "ann.@acme.example",
            "ann..lee@acme.example", "ann lee@acme.example", "ann@acme .example", "ann@acme_x.example", "ann@-acme.example",
            "ann@acme.example,bob@acme.example", "ann@acme.example; bob@acme.example", "Ann Lee <ann@acme.example>",
            "<ann@acme.example>", "mailto:ann@acme.example", '"ann lee"@acme.example', "ann@acme.example (Ann)",
            "ann@[127.0.0.1]", "ann@127.0.0.1", "müller@acme.example", "ann@acme.example\u200b", "\ufeffann@acme.example",
            "ann@acme.example\r\nBcc: eve@evil.example", "ann\0@acme.example", "ann@acme.example\0", "ann@acme.invalid",
            "ann@acme\u202e.example", f"ann@{'a' * 64}.example",
        ],
    )  # fmt: skip
    def test_what_people_mistake_for_an_address_is_refused(self, address: str) -> None:
        rejected = rejection(to=address)
        assert (rejected.field, rejected.code) == ("to", "invalid_address")
        assert rejected.message.startswith("not an address that Gmail can send to: ")

    @pytest.mark.parametrize(
        "address",
        ["o'brien@acme.example", "ann+cert@acme.example", "ann_lee@acme.example", "a@b.example", "ann-lee@acme-x.example",
         "1@2.example", "ann@acme.test"],
    )  # fmt: skip
    def test_unusual_addresses_are_taken_as_they_are(self, address: str) -> None:
        assert parse(MINIMAL | {"to": address}).to == address

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("ann@bücher.example", "ann@xn--bcher-kva.example"), ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
            ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"), ("ann@漢字.example", "ann@xn--p8s937b.example"),
            ("ann@acme。example", "ann@acme.example"), ("Ann@ACME.Example", "Ann@acme.example"),
        ],
    )  # fmt: skip
    def test_a_domain_is_kept_in_the_form_that_the_wire_needs(
        self, written: str, kept: str
    ) -> None:
        assert parse(MINIMAL | {"to": written}).to == kept
        assert parse(MINIMAL | {"manager": written}).manager == kept

    @settings(deadline=None)
    @given(st.text(max_size=40))
    def test_any_text_is_an_address_or_a_rejection_and_an_address_is_ascii_without_spaces(
        self, text: str
    ) -> None:
        taken = outcome({"to": text})
        if isinstance(taken, ReminderRejected):
            assert taken.field == "to"
            return

        assert taken.to.isascii()
        assert taken.to.isprintable()
        assert " " not in taken.to
        assert taken.to.count("@") == 1
        assert parse(MINIMAL | {"to": taken.to}).to == taken.to


LOCALS = st.one_of(
    st.text("aZ09._+-'\"\\ äİ", min_size=0, max_size=12),
    st.text("ab.", min_size=20, max_size=70),
    st.emails().map(lambda address: address.rpartition("@")[0]),
)
DOMAINS = st.one_of(
    st.sampled_from(
        [
            "acme.example",
            "ACME.Example",
            "bücher.example",
            "xn--bcher-kva.example",
            "acme",
            "acme.",
            ".acme.example",
        ]
    ),
    st.sampled_from(
        [
            "a..example",
            "-a.example",
            "acme.example ",
            "[127.0.0.1]",
            "localhost",
            "ä.b",
            "a b.example",
        ]
    ),
    st.text("abc.-ß", max_size=90),
    st.integers(1, 63).map(lambda n: ".".join(["x" * n] * 4)),
)


def slowly(address: str) -> str | None:
    """What the rule book says of an address."""
    try:
        found = validate_email(
            address.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        return None
    return found.ascii_email or found.normalized


@settings(max_examples=500, deadline=None)
@given(LOCALS, DOMAINS)
def test_plain_addresses_take_a_short_cut_to_the_same_answer(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    try:
        found = Reminder(tenant="acme", to=address).to
    except ValidationError:
        found = None
    expected = slowly(address) if len(address.strip()) <= 320 else None
    assert found == expected


class TestRejections:
    """A rejection keeps what it was given out of print, logs and other systems.

    What it was given may be personal.
    """

    @pytest.mark.parametrize("field", list(FULL))
    def test_none_repeats_the_value_that_is_wrong(self, field: str) -> None:
        rejected = rejection(**{field: "Zaphod Beeblebrox <zaphod@magrathea>" * 100})
        text = f"{rejected!r} {rejected} {rejected.as_json()} {rejected.field}".lower()
        assert "zaphod" not in text
        assert "magrathea" not in text

    @pytest.mark.parametrize(
        "address",
        ["zaphod", "zaphod@magrathea", "zaphod@magrathea,example", "zaphod @magrathea.example", "Zaphod <zaphod@magrathea.example>",
         "zaphod@magrathea.example,trillian@magrathea.example", "zaphöd@magrathea.example", "zaphod@magrathea.example.",
         "zaphod..b@magrathea.example", "zaphod@" + "magrathea" * 9 + ".example"],
    )  # fmt: skip
    def test_a_wrong_address_is_explained_without_being_repeated(self, address: str) -> None:
        text = str(rejection(to=address)).lower()
        assert "zaph" not in text
        assert "magrathea" not in text

    @settings(deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(list(FULL)),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        )
    )
    def test_any_record_is_a_reminder_or_a_rejection_with_a_code(
        self, record: dict[str, Any]
    ) -> None:
        taken = outcome(record)
        if isinstance(taken, ReminderRejected):
            assert taken.code
            assert taken.message

    @pytest.mark.parametrize(
        "record", [{"tenant": "acme", "to": "ann@acme.example", "\ud800": 1}, {"": 1}]
    )
    def test_a_field_without_a_proper_name_is_refused_too(self, record: dict[str, Any]) -> None:
        with pytest.raises(ReminderRejected):
            parse(MINIMAL | record)


def _in_utc(value: date) -> str:
    return (value.astimezone(UTC) if isinstance(value, datetime) else value).isoformat()


class TestSameness:
    @settings(deadline=None)
    @given(TIMES, TIMES, ZONES, ZONES)
    def test_a_time_written_in_another_zone_is_the_same_time(
        self, due: datetime, send: datetime, one: timezone, two: timezone
    ) -> None:
        first = parse(MINIMAL | {"due_at": due.astimezone(one), "send_at": send.astimezone(one)})
        second = parse(MINIMAL | {"due_at": due.astimezone(two), "send_at": send.astimezone(two)})
        assert first.canonical() == second.canonical()
        assert first.dedupe_source() == second.dedupe_source()

    @settings(deadline=None)
    @given(
        st.dictionaries(st.sampled_from(sorted(FULL.keys() - MINIMAL.keys())), st.just(0)),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20),
        st.one_of(TIMES, st.dates(date(2000, 1, 1), date(2100, 1, 1))),
    )
    def test_its_bytes_are_those_that_a_general_writer_of_json_gave_older_versions(
        self, left_out: dict[str, int], text: str, due: date
    ) -> None:
        words = {"name": text, "campaign": f"c{text}", "key": f"k{text}", "due_at": due}
        fields = {name: each for name, each in (FULL | words).items() if name not in left_out}
        reminder = parse(fields)

        value = reminder.model_dump(exclude={"key"}, exclude_none=True)
        for name in {"to", "manager", "reply_to"} & value.keys():
            value[name] = value[name].casefold()
        dumped = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_in_utc)
        assert reminder.canonical() == dumped.encode()

        names = ("tenant", "kind", "campaign", "to", "due_at", "send_at")
        keyless: list[Any] = [value.get(name) for name in names]
        parts = keyless if reminder.key is None else [reminder.tenant, reminder.key]
        assert reminder.dedupe_source() == json.dumps(parts, default=_in_utc).encode()

    def test_the_case_of_an_address_makes_no_other_reminder(self) -> None:
        keyless = FULL | {"key": None}
        first, second = (
            parse(keyless),
            parse(keyless | {"to": "Ann@ACME.example", "manager": "BOSS@acme.Example"}),
        )
        assert first.canonical() == second.canonical()
        assert first.dedupe_source() == second.dedupe_source()

    def test_a_default_that_is_spelled_out_makes_no_other_reminder(self) -> None:
        first, second = (
            parse(MINIMAL),
            parse(MINIMAL | {"kind": "reminder", "priority": 5, "name": None}),
        )
        assert first.canonical() == second.canonical()
        assert first.dedupe_source() == second.dedupe_source()

    def test_the_order_of_fields_does_not_matter(self) -> None:
        assert parse(FULL).canonical() == parse(dict(reversed(FULL.items()))).canonical()

    @pytest.mark.parametrize(
        ("field", "other"),
        [("tenant", "beta"), ("to", "bob@acme.example"), ("kind", "notice"), ("campaign", "q1"), ("due_at", "2026-12-12T17:00:00Z"),
         ("send_at", "2026-12-02T08:00:00Z")],
    )  # fmt: skip
    def test_another_person_subject_or_time_is_another_reminder(
        self, field: str, other: str
    ) -> None:
        keyless = FULL | {"key": None}
        assert parse(keyless).dedupe_source() != parse(keyless | {field: other}).dedupe_source()

    @pytest.mark.parametrize(
        ("field", "other"),
        [("name", "Ann"), ("pending", 2), ("link", "https://acme.example/2"), ("locale", "fr"), ("expires_at", "2027-01-01T00:00:00Z"),
         ("priority", 1), ("connection", "apac"), ("manager", None), ("campaign_name", "Q4")],
    )  # fmt: skip
    def test_other_words_are_the_same_reminder_with_another_body(
        self, field: str, other: object
    ) -> None:
        keyless = FULL | {"key": None}
        first, second = parse(keyless), parse(keyless | {field: other})
        assert first.dedupe_source() == second.dedupe_source()
        assert first.canonical() != second.canonical()

    def test_a_given_key_alone_decides_within_its_tenant(self) -> None:
        first = parse(MINIMAL | {"key": "k"})
        assert parse(FULL | {"key": "k"}).dedupe_source() == first.dedupe_source()
        assert parse(MINIMAL | {"key": "K"}).dedupe_source() != first.dedupe_source()
        assert (
            parse(MINIMAL | {"key": "k", "tenant": "beta"}).dedupe_source() != first.dedupe_source()
        )

    def test_the_key_is_no_part_of_the_body(self) -> None:
        assert parse(MINIMAL | {"key": "k"}).canonical() == parse(MINIMAL).canonical()

    @settings(deadline=None)
    @given(st.text(min_size=1, max_size=300).filter(lambda text: bool(text.strip())))
    def test_no_key_can_pass_for_a_reminder_without_one(self, key: str) -> None:
        assert parse(MINIMAL | {"key": key}).dedupe_source() != parse(MINIMAL).dedupe_source()


class TestExpiry:
    def test_without_any_time_it_is_fourteen_days_from_now(self) -> None:
        assert timedelta(days=14) == DEFAULT_LIFE
        assert parse(MINIMAL).expiry(NOON) == NOON + timedelta(days=14)

    def test_with_a_send_time_it_counts_from_there(self) -> None:
        reminder = parse(MINIMAL | {"send_at": "2027-01-01T00:00:00Z"})
        assert reminder.expiry(NOON) == datetime(2027, 1, 15, tzinfo=UTC)

    def test_a_given_time_is_kept(self) -> None:
        assert parse(FULL).expiry(NOON) == datetime(2026, 12, 11, 16, tzinfo=UTC)

    @settings(deadline=None)
    @given(st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30), timezones=ZONES))  # noqa: DTZ001 - hypothesis adds the zone
    def test_whatever_time_is_taken_in_can_be_worked_with(self, time: datetime) -> None:
        reminder = parse(MINIMAL | {"send_at": time, "due_at": time})
        assert reminder.expiry(NOON) == time + DEFAULT_LIFE
        assert reminder.canonical()
        assert reminder.dedupe_source()
