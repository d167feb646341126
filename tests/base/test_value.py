from __future__ import annotations

import copy
import inspect
import pickle
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar, get_type_hints

import pytest

from xsession._base._value import frozen
from xsession.events import Event
from xsession.refresh import HopStatus

T = TypeVar("T")


class Fields:
    """What both of the classes below are made of."""

    name: str
    tags: list[str] = field(default_factory=list, hash=False)
    secret: str | None = field(default=None, repr=False)
    note: str = field(default="", compare=False)
    size: int = field(default=3, kw_only=True)
    made: int = field(default=7, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower())


def twin(decorator: Callable[[type[Any]], type[Any]]) -> type[Any]:
    """A class of those fields, made by a decorator."""
    members = {name: item for name, item in vars(Fields).items() if name not in ("__dict__", "__weakref__")}
    # A field belongs to one class.
    members = {name: copy.copy(item) for name, item in members.items()}
    return decorator(type("Twin", (), {**members, "__module__": __name__, "__qualname__": "Twin"}))


def ours() -> type[Any]:
    """One that was not called yet."""
    return twin(frozen)


STANDARD = twin(dataclass(frozen=True, slots=True))
Twin = ours()


@frozen(kw_only=True)
class Base:
    """A value that others inherit from."""

    a: int


@frozen(kw_only=True)
class Derived(Base):
    """With one field more."""

    b: int = 2


@frozen
class Box(Generic[T]):
    """A generic value."""

    content: T


@frozen
class Nothing:
    """A value without a field."""


@frozen
class Own:
    """A value with methods of its own."""

    a: int

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "a", int(text))

    def __repr__(self) -> str:
        return "own"


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(("A",), {}), (("A", ["x"], "s", "n"), {"size": 1}), ((), {"name": "A", "secret": "s"})],
)
def test_values_are_made_as_dataclasses_are(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """With defaults, factories, keywords, fields that are no arguments, and `__post_init__`."""
    made = ours()(*args, **kwargs)
    standard = STANDARD(*args, **kwargs)
    assert asdict(made) == asdict(standard)
    assert repr(made) == repr(standard)


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), (("A", [], "s", "n", 4), {}), (("A",), {"made": 1})])
def test_wrong_arguments_are_refused_in_the_same_words(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Also at the first call, which makes the method that refuses them."""
    with pytest.raises(TypeError) as expected:
        STANDARD(*args, **kwargs)
    with pytest.raises(TypeError) as refused:
        ours()(*args, **kwargs)
    assert str(refused.value) == str(expected.value)


def test_init_is_made_at_first_use_and_stays() -> None:
    """The class then has what `dataclass` would have given it, and costs nothing more."""
    cls = ours()
    assert not inspect.isfunction(vars(cls)["__init__"])
    cls("A")
    made = vars(cls)["__init__"]
    assert inspect.isfunction(made)
    assert (made.__module__, made.__qualname__) == (STANDARD.__init__.__module__, STANDARD.__init__.__qualname__)
    cls("B")
    assert vars(cls)["__init__"] is made


def test_signatures_are_shown() -> None:
    """To `help`, editors and all else that asks `inspect`, before and after the first use."""
    cls = ours()
    assert str(inspect.signature(cls)) == str(inspect.signature(STANDARD))
    cls("A")
    assert str(inspect.signature(cls)) == str(inspect.signature(STANDARD))


def test_threads_may_make_the_first_ones_at_once() -> None:
    """Each gets a whole value."""
    for _ in range(20):
        cls, barrier = ours(), threading.Barrier(8)

        def make(number: int, cls: type[Any] = cls, barrier: threading.Barrier = barrier) -> Any:
            barrier.wait()
            return cls(str(number), size=number)

        with ThreadPoolExecutor(8) as pool:
            assert [made.size for made in pool.map(make, range(8))] == list(range(8))


def test_equality_and_hash_leave_out_what_the_fields_say() -> None:
    """`compare=False` leaves a field out of both, `hash=False` out of the hash alone."""
    assert Twin("a", note="x") == Twin("a", note="y")
    assert hash(Twin("a", note="x")) == hash(Twin("a", note="y"))
    assert Twin("a", ["x"]) != Twin("a", ["y"])
    assert hash(Twin("a", ["x"])) == hash(Twin("a", ["y"]))
    assert Twin("a") != Twin("a", size=4)


def test_values_of_other_classes_are_not_equal() -> None:
    """Nor those of a class derived from it."""
    assert Base(a=1) != Derived(a=1)
    assert Base(a=1).__eq__(1) is NotImplemented
    assert Base(a=1) == Base(a=1)


def test_values_refuse_to_be_changed() -> None:
    """Their fields, and attributes that are none, can be neither set nor deleted."""
    made = Twin("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        made.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        made.other = 1
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del made.name
    assert not hasattr(made, "__dict__")


def test_a_subclass_may_have_attributes_of_its_own() -> None:
    """One that is no value itself, as with any frozen dataclass; the fields stay as they are."""

    @frozen
    class Plain:
        name: str

    class Named(Plain):
        def __init__(self, name: str) -> None:
            super().__init__(name)
            self.extra = 1

    made: Any = Named("a")
    made.extra = 2
    assert made.extra == 2
    del made.extra
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        made.name = "b"


def test_a_value_with_an_equality_of_its_own_can_be_hashed() -> None:
    """`dataclass` writes the hash there, too."""

    @frozen
    class Same:  # noqa: PLW1641 # that is the point
        name: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Same)

    assert Same("a") == Same("b")
    assert hash(Same("a")) == hash(Same("a"))


def test_the_functions_of_dataclasses_know_values() -> None:
    """`fields`, `replace` and `is_dataclass` as for any dataclass; patterns match by place."""
    made = Twin("a", ["x"])
    assert [item.name for item in fields(made)] == [item.name for item in fields(STANDARD)]
    assert replace(made, size=9).size == 9
    assert Twin.__match_args__ == STANDARD.__match_args__
    assert is_dataclass(Twin)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_values_are_copied_and_pickled(again: Callable[[Any], Any]) -> None:
    """Whole, the fields that do not count for equality included."""
    made = Twin("a", ["x"], note="n")
    assert again(made) == made
    assert again(made).note == "n"


def test_copies_are_compared_before_the_class_was_called() -> None:
    """A process that unpickles a value need never have made one."""
    cls = ours()
    made = object.__new__(cls)
    made.__setstate__(Twin("a").__getstate__())
    assert (made.name, hash(made), repr(made)) == ("a", hash(Twin("a")), repr(Twin("a")))


def test_values_inherit_from_values() -> None:
    """The fields of both, slotted."""
    made = Derived(a=1)
    assert repr(made) == "Derived(a=1, b=2)"
    assert replace(made, b=3) == Derived(a=1, b=3)
    assert str(inspect.signature(Derived)) == "(*, a: 'int', b: 'int' = 2) -> None"
    assert not hasattr(made, "__dict__")


def test_a_class_may_inherit_without_the_decorator() -> None:
    """It is made as its base is, and differs from it."""

    class Plain(Box[int]):
        """Adds nothing."""

    assert Plain(1).content == 1
    assert repr(Plain(1)).endswith("Plain(content=1)")
    assert Plain(1) == Plain(1)
    assert Box(1) != Plain(1)


def test_generic_values_work() -> None:
    """With and without the type that they hold."""
    assert Box[int](1) == Box(1)


def test_types_of_arguments_can_be_read() -> None:
    """By what injects or converts them; names in annotations are those of the class's module, not of its face."""
    assert get_type_hints(Event.__init__)["hop"] == int | None
    assert get_type_hints(HopStatus.__init__)["local_expiry"] == datetime | None


def test_a_field_that_is_no_argument_may_be_set_by_the_class() -> None:
    """As `dataclass` has it: without a default, nothing is there before."""

    @frozen
    class Area:
        width: int
        size: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "size", self.width**2)

    assert Area(3).size == 9


def test_values_may_have_no_field() -> None:
    """All are equal then."""
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()) == "Nothing()"


def test_methods_of_the_class_itself_stay() -> None:
    """As `dataclass` leaves them."""
    made = Own("5")
    assert (made.a, repr(made)) == (5, "own")
    assert made == Own("5")


def test_a_value_that_holds_itself_can_be_shown() -> None:
    """In a list, for example."""
    held: list[Any] = []
    made = Box(held)
    held.append(made)
    assert repr(made) == "Box(content=[...])"


@frozen(hides=ValueError)
class Hiding:
    """Refuses some values."""

    secret: str
    number: int | None = None

    def __post_init__(self) -> None:
        if self.number == 0:
            raise ValueError
        if self.number == 1:
            raise TypeError


def test_a_value_may_hide_what_was_passed() -> None:
    """From the frames of one kind of error alone; all else is as it was."""
    with pytest.raises(ValueError) as hidden:  # noqa: PT011 # it has no text
        Hiding("hush", number=0)
    with pytest.raises(TypeError) as shown:
        Hiding("hush", number=1)
    for caught, expected in ((hidden, []), (shown, ["__init__", "__post_init__"])):
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][2:]
        assert [frame.f_code.co_name for frame in frames] == expected
    assert replace(Hiding("hush"), number=2) == Hiding("hush", 2)
    assert list(inspect.signature(Hiding).parameters) == ["secret", "number"]
    assert get_type_hints(Hiding.__init__)["number"] == int | None
