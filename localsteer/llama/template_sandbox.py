"""Jinja as a chat template may use it: it sees nothing of Python's inside, it comes to an end, and what it makes stays
small.

A template comes with a model from strangers, and it is a program. Jinja's own sandbox keeps it from Python's inside and
from changing what it is given; it does not keep it from looping through loops for years or from asking for ten
gigabytes of blanks. So every turn of a loop and every call looks at the clock, and whatever can make large values out
of small ones is asked beforehand how large.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from jinja2 import BaseLoader, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

SECONDS = 5.0
"""Of this thread's computing, for all of a template's slow runs together. Real templates take milliseconds."""
_SLOW = 0.5
_TICKS = 64
_MOST_PARTS = 120_000
_LONGEST = 2_000_000
_MOST_ALTOGETHER = 64_000_000
"""Characters and parts of lists that one run may make."""
_LARGEST_NUMBER = 10_000
"""What a function of strings may be asked for; a width, most often."""
_MOST_BITS = 10_000
_LONGEST_DATE = 200
_LONGEST_SOURCE = 500_000
_MOST_PRINTED, _MOST_FOR_EACH = 200_000, 2_000
_ANY_NUMBER = frozenset({"abs", "d", "default", "int", "float", "round", "sum"})
_SLOW_FILTERS = frozenset({"pprint", "striptags", "title", "urlize", "wordcount", "wordwrap", "xmlattr"})
_MOST_FOR_SLOW = 50_000
_ENCODINGS = frozenset({"ascii", "latin-1", "utf-8", "utf8", "utf-16", "utf-32"})
"""Others, such as those of host names, take time without end."""
_WIDE_FORMAT = re.compile(r"\d{5}|\*|\{[^{}]*\{")


class TemplateLimit(Exception):
    """A template goes beyond what it may; the message is a clause that says in which way."""


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Transformers' and llama-cpp-python's environment for chat templates, within bounds.

    Used by one thread at a time, inside :meth:`bounded`.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            loader=BaseLoader(),
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[Jinja2ChatFormatter.IgnoreGenerationTags, "jinja2.ext.loopcontrols"],
            finalize=self._weighed,
        )
        self.filters["tojson"] = Jinja2ChatFormatter.tojson
        self.filters = {name: self._guarded(name, function) for name, function in self.filters.items()}
        tests: dict[str, Any] = dict(self.tests)
        self.tests = {**tests, "in": self._timed(tests["in"])}
        del self.globals["lipsum"]  # makes as much text as it is asked for
        self._given: object = None
        self._given_parts = 0
        self._left = _MOST_ALTOGETHER
        self._seconds = SECONDS
        self._end = 0.0
        self._ticks = 0

    @contextmanager
    def bounded(self, given: list[dict[str, str]]) -> Iterator[None]:
        """What runs inside ends in time. Raises TemplateLimit where it does not do so by itself. ``given``: the
        messages, which may be as many as they are.
        """
        self._given, self._given_parts = given, 5 * len(given) + 1
        self._left = _MOST_ALTOGETHER
        began = time.thread_time()
        self._end = began + self._seconds
        try:
            yield
        finally:
            self._given = None
            took = time.thread_time() - began
            if took > _SLOW:
                self._seconds -= took

    # ------------------------------------------------------------ what the compiled template calls

    @property
    def tick(self) -> None:
        """Looked at by every turn of a loop, and by every call. Raises TemplateLimit where time is up."""
        self._ticks += 1
        # The clock costs more than most turns.
        if self._ticks % _TICKS == 0:
            self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        if time.thread_time() > self._end:
            raise TemplateLimit(f"computes for more than {SECONDS:.0f} seconds")

    def concat(self, parts: Iterable[str]) -> str:
        """Joined text: of the whole, of a macro, of a block that is kept."""
        found: list[str] = []
        length = 0
        for part in parts:
            length += len(part)
            self._allow(length)
            found.append(part)
        return str(self.built("".join(found)))

    def joined(self, values: tuple[object, ...]) -> str:
        """The ``~`` of templates."""
        self._allow(sum(self._weigh(value) for value in values))
        return str(self.built("".join(map(str, values))))

    def built(self, value: Any) -> Any:
        """A value that was just made, if it is small enough."""
        if type(value) is str:
            self._left -= len(value)
            self._allow(len(value))
        else:
            self._left -= len(value) if isinstance(value, bytes | list | tuple | dict | str) else 1
            self._weigh(value)
        if self._left < 0:
            raise TemplateLimit("makes too much text")
        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An arithmetic sign."""
        if operator == "+" and type(left) is type(right) is str:
            return self.built(left + right)
        if operator == "%" and isinstance(left, str | bytes):
            self._allow_format(str(left), "%", right if isinstance(right, tuple) else (right,))
        elif operator in {"*", "**"} and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            self._allow(bits, _MOST_BITS)
        elif operator == "*":
            number, repeated = (left, right) if isinstance(left, int) else (right, left)
            if isinstance(number, int) and isinstance(repeated, str | bytes | list | tuple):
                self._allow(len(repeated) * number)
        elif operator == "+" and isinstance(left, str | bytes | list | tuple) and isinstance(right, type(left)):
            self._allow(len(left) + len(right))
        return self.built(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Any call."""
        self.tick  # noqa: B018
        values = (*args, *kwargs.values())
        for value in values:
            self._weigh(value)
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(owner, str | bytes | int | float | list | tuple | dict):
            self._allow_numbers(values)
        if isinstance(owner, str | bytes):
            if name in {"encode", "decode"} and str((*values, "utf-8")[0]).lower() not in _ENCODINGS:
                raise TemplateLimit("asks for an encoding that no template needs")
            args = self._allow_method(owner, name, args)
        return self.built(super().call(context, function, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """``str.format``, wherever it is taken from."""
        found = super().wrap_str_format(value)
        if found is None:
            return None
        form, formatted = str(value.__self__), found

        def bounded_format(*args: Any, **kwargs: Any) -> str:
            self._allow_format(form, "{", (*args, *kwargs.values()))
            return str(self.built(formatted(*args, **kwargs)))

        return bounded_format

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A test that may be asked for each part of a long list: whether it is in another long one."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._look_at_the_clock()
            return function(*args, **kwargs)

        return timed

    def _guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that is asked before it works."""
        first = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.tick  # noqa: B018
            values = list(args[first:])
            for value in (*values, *kwargs.values()):
                self._weigh(value)
            if name in _SLOW_FILTERS and values:
                self._allow(self._weigh(values[0]), _MOST_FOR_SLOW)
            if name not in _ANY_NUMBER:
                self._allow_numbers((*values[1:], *kwargs.values()))
            if name == "join" and values:
                values[0] = list(values[0])
                separator = str(values[1] if len(values) > 1 else kwargs.get("d", ""))
                self._allow(sum(map(self._weigh, values[0])) + len(values[0]) * len(separator))
            elif name in {"replace", "indent"} and values:
                old, new = (*map(str, (*values[1:3], *kwargs.values())), "", "")[:2]
                text = str(values[0])
                width = int(old) if old.isdigit() else len(old)
                grown = text.count(old) * len(new) if name == "replace" else (text.count("\n") + 1) * width
                self._allow(len(text) + grown)
            elif name == "tojson" and values:
                indent = kwargs.get("indent")
                width = indent if isinstance(indent, int) else len(str(indent))
                self._allow(self._weigh(values[0]) * (1 + width))
            elif name == "format" and values:
                self._allow_format(str(values[0]), "%", (*values[1:], *kwargs.values()))
            return self.built(function(*args[:first], *values, **kwargs))

        return guarded

    # ------------------------------------------------------------ how large

    def _weighed(self, value: Any) -> Any:
        """A value that is about to be printed."""
        if not isinstance(value, str | Undefined):
            self._weigh(value)
        return value

    def _weigh(self, value: object) -> int:
        """Parts and characters of all that is in ``value``, each as often as it would be printed."""
        count, parts, waiting = 0, 0, [value]
        while waiting:
            one = waiting.pop()
            parts += 1
            if isinstance(one, str | bytes):
                count += len(one)
            elif one is self._given:
                count += self._given_parts
            elif isinstance(one, list | tuple | set | frozenset):
                self._allow(parts + len(waiting) + len(one), _MOST_PARTS + self._given_parts)
                waiting += one
            elif isinstance(one, Mapping):
                waiting += [*one.keys(), *one.values()]
            elif isinstance(one, Namespace):
                waiting.append(one._Namespace__attrs)
            self._allow(parts, _MOST_PARTS + self._given_parts)
            self._allow(count)
        return count + parts

    def _allow(self, size: int, most: int = _LONGEST) -> None:
        if size > most:
            raise TemplateLimit("makes too much text" if most != _MOST_BITS else "computes with too large numbers")

    def _allow_numbers(self, values: Iterable[object]) -> None:
        for value in values:
            if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
                raise TemplateLimit("makes too much text")

    def _allow_format(self, form: str, sign: str, values: tuple[object, ...]) -> None:
        if _WIDE_FORMAT.search(form):
            raise TemplateLimit("makes too much text")
        widest = max(map(self._weigh, values), default=0) + _LARGEST_NUMBER
        self._allow(len(form) + form.count(sign) * widest, 4 * _LONGEST)

    def _allow_method(self, owner: str | bytes, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """How long the result of a method of strings can become; its arguments, of which an iterator is used up."""
        if name == "join" and args:
            parts = list(args[0])
            self._allow(sum(map(self._weigh, parts)) + len(parts) * len(owner))
            return (parts, *args[1:])
        if name == "replace" and len(args) > 1 and isinstance(args[0], type(owner)):
            self._allow(len(owner) + _count(owner, args[0]) * self._weigh(args[1]))
        elif name == "expandtabs":
            self._allow(len(owner) + _count(owner, "\t" if isinstance(owner, str) else b"\t") * max([*args, 8]))
        elif name == "translate" and args:
            self._allow(len(owner) * self._weigh(args[0]))
        return args


class _Compiler(CodeGenerator):
    """Values that a template writes down pass through the environment, too."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802
        tick = nodes.ExprStmt(nodes.EnvironmentAttribute("tick", lineno=node.lineno), lineno=node.lineno)
        node.body.insert(0, tick)
        super().visit_For(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        if isinstance(node.arg, nodes.Slice):
            self._built(super().visit_Getitem, node, frame)
        else:
            super().visit_Getitem(node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._built(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self._built(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "load":
            self._built(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def _built(self, visit: Callable[[Any, Frame], None], node: nodes.Node, frame: Frame) -> None:
        self.write("environment.built(")
        visit(node, frame)
        self.write(")")


BoundedEnvironment.code_generator_class = _Compiler


class ChatFormatter:
    """A chat template, compiled. Raises what Jinja raises for one that is none, TemplateLimit for one too long."""

    def __init__(self, source: str, *, bos_token: str, eos_token: str) -> None:
        if len(source) > _LONGEST_SOURCE:
            raise TemplateLimit(f"has {len(source):,} characters")
        self._environment = BoundedEnvironment()
        self._template = self._environment.from_string(source)
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}

    def __call__(self, messages: list[dict[str, str]], *, open_reply: bool, tools: object, functions: object) -> str:
        """What it prints. Raises TemplateLimit, and whatever a template can raise."""
        with self._environment.bounded(messages):
            printed = self._template.render(
                messages=messages,
                add_generation_prompt=open_reply,
                tools=tools,
                functions=functions,
                function_call=None,
                tool_choice=None,
                raise_exception=_raise_exception,
                strftime_now=_strftime_now,
                **self._tokens,
            )
        if len(printed) > _MOST_PRINTED + _MOST_FOR_EACH * len(messages):
            raise TemplateLimit(f"prints {len(printed):,} characters around {len(messages)} messages")
        return printed


def _count(text: Any, part: Any) -> int:
    """How often ``part`` stands in ``text``, both texts or both bytes."""
    return int(text.count(part))


def _raise_exception(message: object) -> None:
    raise ValueError(message)


def _strftime_now(form: str) -> str:
    if len(form) > _LONGEST_DATE:
        raise TemplateLimit("makes too much text")
    return str(Jinja2ChatFormatter.strftime_now(form))
