"""How the values of a push are read, and how the table of a model is made."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from typing import Any, Optional

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.rows import each_row
from wechat_msg.fields import (
    UnreadableField,
    build,
    build_from_json,
    content,
    integer,
    items,
    lenient_text,
    model,
    nested,
    number,
    snake_case,
    text,
    timestamp,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda values: st.lists(values) | st.dictionaries(st.sampled_from(["item", "Size", "Parts", "x"]), values),
    max_leaves=5,
)


@model
class Part:
    size: int = integer("Size")
    colour: str | None = text("Colour", default=None)


@model
class Wrapped:
    part: Part = nested("Part", Part, flat=True)


@model
class Box:
    names: tuple[str, ...] = items("Names", str)
    lids: tuple[Part, ...] = items("Lids", Part, item="Lid")
    notes: tuple[Mapping[str, Any], ...] = items("Notes", Mapping, eq=False)


@model
class Whole:
    label: str | None = text("Label", "label", default=None)
    words: str | None = content("Words", default=None)
    count: int | None = integer("Count", default=None)
    since: int | None = timestamp("Since", default=None)
    ratio: float | None = number("Ratio", default=None)
    part: Part | None = nested("Part", Part, default=None)
    parts: tuple[Part, ...] = items("Parts", Part, within="Wrapper")
    numbers: tuple[int, ...] = items("Numbers", int)


def read(name: str, value: Any) -> Any:
    return getattr(build(Whole, {name: value}), name.lower())


NOT_TEXT = [1e15, float("nan"), [], ["a"], {}, {"a": "b"}, ()]


class TestText:
    @each_row("value", [*NOT_TEXT, b"bytes", 10**5_000])
    def test_refuses_what_is_not_text_or_a_whole_number(self, value):
        with pytest.raises(UnreadableField, match="Label"):
            read("Label", value)

    @pytest.mark.parametrize("value", [" a b ", "\n  a b\r\n\t"])
    def test_is_trimmed(self, value):
        assert read("Label", value) == "a b"

    @pytest.mark.parametrize("value", ["\u3000a\u3000", "\xa0a\xa0"])
    def test_keeps_the_blanks_that_people_type(self, value):
        assert read("Label", value) == value

    def test_may_be_empty(self):
        assert read("Label", "") == ""

    def test_reads_a_whole_number_exactly(self):
        assert read("Label", 24123456789012345) == "24123456789012345"

    @pytest.mark.parametrize(("value", "expected"), [(3.5, "3.5"), (-0.25, "-0.25")])
    def test_reads_a_decimal_number_as_in_xml(self, value, expected):
        assert read("Label", value) == expected

    @pytest.mark.parametrize(("value", "expected"), [(True, "true"), (False, "false")])
    def test_reads_a_truth_value_as_in_xml(self, value, expected):
        assert read("Label", value) == expected

    def test_is_read_from_any_of_its_names(self):
        assert build(Whole, {"label": "a"}).label == "a"


class TestLenientText:
    @model
    class Thing:
        remark: str | None = lenient_text("Remark", default=None)

    @each_row("value", [*NOT_TEXT, None])
    def test_counts_what_is_not_text_as_missing(self, value):
        assert build(self.Thing, {"Remark": value}).remark is None

    @pytest.mark.parametrize(("value", "expected"), [(" a ", "a"), (5, "5"), ("", "")])
    def test_is_read_like_text(self, value, expected):
        assert build(self.Thing, {"Remark": value}).remark == expected


class TestContent:
    @each_row("value", NOT_TEXT)
    def test_refuses_what_is_not_text(self, value):
        with pytest.raises(UnreadableField, match="Words"):
            read("Words", value)

    @pytest.mark.parametrize("value", [" a\n", "", "   ", "\u3000"])
    def test_is_kept_letter_for_letter(self, value):
        assert read("Words", value) == value

    def test_reads_a_number(self):
        assert read("Words", 5) == "5"

    def test_is_not_in_the_repr(self):
        assert "a secret" not in repr(Whole(words="a secret"))


class TestInteger:
    @each_row(
        "value",
        ["1.0", "1e3", "0x10", "1_000", "١", "one", "--1", "1" * 21, 1.5, float("inf"), float("nan"), [], {}, b"1"],
    )
    def test_refuses_what_is_not_a_whole_number(self, value):
        with pytest.raises(UnreadableField, match="Count"):
            read("Count", value)

    @each_row(
        ("value", "expected"),
        [
            (0, 0),
            ("0", 0),
            ("007", 7),
            ("+7", 7),
            (" -12\n", -12),
            (3.0, 3),
            (True, 1),
            ("true", 1),
            (" false", 0),
            ("9007199254740993", 2**53 + 1),
            (2**63, 2**63),
        ],
    )
    def test_reads_numbers_and_their_text_exactly(self, value, expected):
        taken = read("Count", value)
        assert taken == expected
        assert type(taken) is int

    @pytest.mark.parametrize("value", ["", " \n"])
    def test_reads_empty_text_as_no_value(self, value):
        assert read("Count", value) is None


class TestTimestamp:
    @each_row("value", [-1, "-1", 253402300800, "99999999999999", 1700000000000, "now", 1.5, []])
    def test_refuses_what_is_not_within_the_calendar(self, value):
        with pytest.raises(UnreadableField, match="Since"):
            read("Since", value)

    @pytest.mark.parametrize(("value", "expected"), [(0, 0), ("1700000000", 1700000000), (253402300799, 253402300799)])
    def test_reads_seconds_and_their_text(self, value, expected):
        assert read("Since", value) == expected

    def test_reads_empty_text_as_no_value(self):
        assert read("Since", "") is None


class TestNumber:
    @each_row(
        "value",
        ["nan", "inf", "1,5", "1.", ".5", "1e5", "１", "1 2", float("nan"), float("inf"), 10**400, 1e301, [], {}, b"1"],
    )
    def test_refuses_what_is_not_a_plain_decimal(self, value):
        with pytest.raises(UnreadableField, match="Ratio"):
            read("Ratio", value)

    @each_row(
        ("value", "expected"),
        [
            ("23.134521", 23.134521),
            ("-113.5", -113.5),
            ("+1", 1.0),
            (" 15\n", 15.0),
            (20, 20.0),
            (1e-7, 1e-7),
            (0, 0.0),
        ],
    )
    def test_reads_numbers_and_their_text(self, value, expected):
        taken = read("Ratio", value)
        assert taken == expected
        assert type(taken) is float

    def test_reads_empty_text_as_no_value(self):
        assert read("Ratio", "") is None


class TestNested:
    @pytest.mark.parametrize("value", ["text", 1, ["text"], [[]], [{"Size": 1}, {"Size": 1}]])
    def test_refuses_what_is_not_a_mapping(self, value):
        with pytest.raises(UnreadableField, match="Part"):
            read("Part", value)

    @pytest.mark.parametrize("value", [{}, {"Size": "big"}, {"Size": None}, {"Colour": "red"}])
    def test_is_unreadable_if_a_required_member_is(self, value):
        with pytest.raises(UnreadableField, match="Part"):
            read("Part", value)

    @pytest.mark.parametrize("value", ["", "\n    ", []])
    def test_reads_an_empty_element_as_no_value(self, value):
        assert read("Part", value) is None

    def test_reads_a_list_of_one_as_that(self):
        assert read("Part", [{"Size": 1}]) == read("Part", {"Size": 1})

    def test_is_read_into_its_model(self):
        assert read("Part", {"Size": "1", "Colour": "red", "Unknown": {"A": []}}) == Part(size=1, colour="red")


class TestItems:
    @each_row("value", ["text", 1, ["text"], [{"Size": "big"}], [[]], {"item": "text"}])
    def test_refuses_items_of_another_kind(self, value):
        with pytest.raises(UnreadableField, match="Parts"):
            read("Parts", value)

    @pytest.mark.parametrize("value", ["one", ["1", "two"], [1.5], {"item": {}}])
    def test_refuses_what_are_not_whole_numbers(self, value):
        with pytest.raises(UnreadableField, match="Numbers"):
            read("Numbers", value)

    @each_row("value", ["", "\n  ", [], None, {"item": ""}, {"item": []}, {"item": None}, ["", ""], [None]])
    def test_are_none_of_them_if_the_element_is_empty(self, value):
        assert read("Parts", value) == ()

    @each_row(
        "value",
        {
            "a bare object": {"Size": "1"},
            "an array": [{"Size": 1}],
            "one item element": {"item": {"Size": "1"}},
            "item elements": {"item": [{"Size": "1"}]},
            "an empty element beside": [{"Size": 1}, ""],
            "a null beside": [None, {"Size": 1}],
        },
    )
    def test_are_a_tuple_of_one_in_every_shape(self, value):
        assert read("Parts", value) == (Part(size=1),)

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param([{"Size": 2}, {"Size": 1}], id="an array"),
            pytest.param({"item": [{"Size": "2"}, {"Size": "1"}]}, id="item elements"),
        ],
    )
    def test_are_a_tuple_of_several_in_their_order(self, value):
        assert read("Parts", value) == (Part(size=2), Part(size=1))

    @pytest.mark.parametrize(("value", "expected"), [(3, (3,)), ("3", (3,)), (["2", 1], (2, 1)), ("", ())])
    def test_may_be_whole_numbers(self, value, expected):
        assert read("Numbers", value) == expected

    @pytest.mark.parametrize("value", [{"Parts": {"Size": 1}}, {"Parts": [{"Size": 1}], "Other": "x"}])
    def test_may_stand_inside_another_element(self, value):
        assert build(Whole, {"Wrapper": value}).parts == (Part(size=1),)

    @each_row("value", ["", "\n", {}, {"Other": "x"}, []])
    def test_are_none_of_them_if_the_element_around_has_none(self, value):
        assert build(Whole, {"Wrapper": value}).parts == ()

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("", ()), ("\n ", ()), ([], ()), ({"item": ""}, ()), ("a", ("a",)), (["a", 1], ("a", "1")), ("a b", ("a b",))],
    )
    def test_may_be_texts(self, value, expected):
        assert build(Box, {"Names": value}).names == expected

    @each_row("value", [{"Lid": {"Size": 1}}, {"Lid": [{"Size": "1"}]}, {"Size": 1}, [{"Size": 1}]])
    def test_may_have_elements_of_another_name(self, value):
        assert build(Box, {"Lids": value}).lids == (Part(size=1),)

    @each_row("value", [{"Text": "a"}, [{"Text": "a"}], {"item": [{"Text": "a"}]}])
    def test_may_be_structures_whose_members_are_unknown(self, value):
        assert build(Box, {"Notes": value}).notes == ({"Text": "a"},)

    @each_row("value", ["a", ["a"], [[]], 1])
    def test_of_structures_refuse_other_values(self, value):
        with pytest.raises(UnreadableField, match="Notes"):
            build(Box, {"Notes": value})


class TestFlat:
    @each_row("fields", [{"Part": {"Size": 1}}, {"Size": "1"}, {"Part": "", "Size": 1}])
    def test_is_read_from_its_element_or_from_the_members_around_it(self, fields):
        assert build(Wrapped, fields).part == Part(size=1)

    def test_prefers_the_element(self):
        assert build(Wrapped, {"Part": {"Size": 1}, "Size": 2}).part == Part(size=1)

    @pytest.mark.parametrize(("fields", "name"), [({}, "size"), ({"Size": "big"}, "Size"), ({"Part": [[]]}, "Part")])
    def test_that_is_unreadable_is_named(self, fields, name):
        with pytest.raises(UnreadableField, match=f"^{name}$"):
            build(Wrapped, fields)


class TestBuildFromJSON:
    @each_row("document", ['{"Size": "1", "x": []}', ' {"Size":1}\n'])
    def test_reads_the_members_of_a_document(self, document):
        assert build_from_json(Part, document) == Part(size=1)

    @each_row(
        "document", ["", "null", "[]", "1", "{", '{"Size": "big"}', "{}", "[" * 100_000, '{"Size": ' + "1" * 5000]
    )
    def test_returns_none_for_any_other(self, document):
        assert build_from_json(Part, document) is None


class TestBuild:
    def test_names_the_attribute_that_is_missing(self):
        with pytest.raises(UnreadableField, match="size"):
            build(Part, {"Colour": "red"})

    def test_names_the_field_that_is_unreadable_and_not_its_value(self):
        with pytest.raises(UnreadableField, match=r"^Size$") as failure:
            build(Part, {"Size": "a secret"})
        assert failure.value.__suppress_context__

    def test_reads_null_as_no_value(self):
        assert build(Whole, dict.fromkeys(("Label", "Words", "Count", "Since", "Ratio", "Part", "Parts"))) == Whole()

    def test_passes_over_unknown_names(self):
        assert build(Whole, {"Unknown": object(), "count": 5, 1: 2}) == Whole()

    def test_distinguishes_names_by_case(self):
        assert build(Whole, {"COUNT": 5, "Count": 6}).count == 6

    @given(mapping=st.dictionaries(st.sampled_from(sorted(Whole.__wire__)), VALUES))
    def test_returns_a_model_or_raises_unreadable_field(self, mapping):
        try:
            whole = build(Whole, mapping)
        except UnreadableField:
            return
        assert isinstance(whole, Whole)
        assert hash(whole) == hash(copy.deepcopy(whole))


class TestModel:
    def test_refuses_positional_arguments(self):
        with pytest.raises(TypeError):
            Part(1)

    def test_refuses_a_call_without_a_required_field(self):
        with pytest.raises(TypeError, match="size"):
            Part()

    def test_is_frozen(self):
        part = Part(size=1)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            part.size = 2
        assert part.size == 1

    def test_is_slotted(self):
        assert not hasattr(Part(size=1), "__dict__")

    def test_compares_by_value_and_is_hashable(self):
        assert Part(size=1) == Part(size=1) != Part(size=2)
        assert len({Part(size=1), Part(size=1), Part(size=2)}) == 2

    def test_can_be_copied_and_pickled(self):
        whole = Whole(label="a", part=Part(size=1), parts=(Part(size=2),))
        assert copy.deepcopy(whole) == whole == pickle.loads(pickle.dumps(whole))

    def test_inherits_the_fields_of_its_base(self):
        @model
        class BigPart(Part):
            weight: int = integer("Weight")

        assert build(BigPart, {"Size": 1, "Weight": "2"}) == BigPart(size=1, weight=2)
        with pytest.raises(UnreadableField):
            build(BigPart, {"Weight": 2})

    def test_leaves_its_base_alone(self):
        @model
        class OddPart(Part):
            size: str = text("OddSize")

        assert build(OddPart, {"OddSize": "odd"}).size == "odd"
        assert build(Part, {"Size": 1, "OddSize": "odd"}) == Part(size=1)

    def test_accepts_a_class_that_attrs_has_made(self):
        @model
        @attrs.frozen(kw_only=True)
        class Made:
            size: int = integer("Size")

        assert build(Made, {"Size": "1"}) == Made(size=1)

    def test_accepts_a_class_that_is_not_frozen(self):
        @model
        @attrs.define
        class Changing:
            size: int = integer("Size")

        changing = build(Changing, {"Size": "1"})
        changing.size += 1
        assert changing == Changing(2)

    @pytest.mark.parametrize("name", ["my_size", "MySize"])
    def test_reads_a_field_that_is_only_annotated_by_its_own_or_its_camel_name(self, name):
        @model
        class Plain:
            my_size: int

        assert build(Plain, {name: "1"}) == Plain(my_size=1)

    @each_row(
        ("annotation", "value", "expected"),
        [
            (str, 5, "5"),
            (int, "5", 5),
            (float, "5", 5.0),
            (bool, 0, False),
            (bool, "true", True),
            (bool | None, True, True),
            (str | None, 5, "5"),
            (int | None, "5", 5),
            (Optional[float], "5", 5.0),  # noqa: UP045
            ("str", 5, "5"),
            ("int", "5", 5),
            ("float | None", "5", 5.0),
            (Any, {"a": ["b"]}, {"a": ["b"]}),
            (dict[str, str], {"a": "b"}, {"a": "b"}),
        ],
    )
    def test_reads_a_field_that_is_only_annotated_by_its_annotation(self, annotation, value, expected):
        plain = model(type("Plain", (), {"__annotations__": {"my_field": annotation}}))
        taken = build(plain, {"MyField": value}).my_field
        assert taken == expected
        assert type(taken) is type(expected)

    def test_uses_the_default_of_a_field_that_is_only_annotated(self):
        @model
        class Plain:
            my_size: int | None = None

        assert build(Plain, {"MySize": ""}).my_size is None
        assert build(Plain, {}).my_size is None


class TestSnakeCase:
    @each_row(
        ("wire", "attribute"),
        [
            ("FromUserName", "from_user_name"),
            ("MsgId", "msg_id"),
            ("MsgID", "msg_id"),
            ("MsgDataId", "msg_data_id"),
            ("MediaId16K", "media_id16_k"),
            ("PicMd5Sum", "pic_md5_sum"),
            ("HQMusicUrl", "hq_music_url"),
            ("OpenPID", "open_pid"),
            ("Location_X", "location_x"),
            ("Poiname", "poiname"),
            ("bizmsgmenuid", "bizmsgmenuid"),
            ("extra_info_json", "extra_info_json"),
            ("List", "list"),
        ],
    )
    def test_is_mechanical(self, wire, attribute):
        assert snake_case(wire) == attribute
