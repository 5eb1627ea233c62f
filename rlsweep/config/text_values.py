"""Parse YAML or JSON text into plain values, with YAML 1.2's numbers and a limit on the size of the result.

PyYAML follows YAML 1.1, where `3e-4` is a string and `1:30` is ninety. The loader here reads numbers as YAML 1.2
does, reads dates as text, and accepts no tag beyond the plain ones. Its tables are its own: PyYAML's stay untouched.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rlsweep.config.limits import MAX_DEPTH, MAX_INTEGER_DIGITS, MAX_KEY, MAX_TEXT, MAX_VALUES
from rlsweep.config.stepped import takes_whole_keys

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_TAG = "tag:yaml.org,2002:"
_NUMBERS = (_TAG + "int", _TAG + "float")
_TAG_DIRECTIVE = re.compile(r"(?:\A|[\r\n\x85\u2028\u2029])%TAG[ \t]")
_SPECIAL_FLOAT = re.compile(r"(?P<sign>[-+]?)\.(?P<name>inf|nan)", re.IGNORECASE)


class _Mark(Protocol):
    """A position in a YAML text, from either of PyYAML's parsers; counted from 0."""

    line: int
    column: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Size:
    """The size of a part of a YAML text after its aliases are expanded: values, and characters of their texts."""

    values: int
    characters: int

    def plus(self, other: "_Size") -> "_Size":
        return _Size(values=self.values + other.values, characters=self.characters + other.characters)

    def minus(self, other: "_Size") -> "_Size":
        return _Size(values=self.values - other.values, characters=self.characters - other.characters)


class TextError(ValueError):
    """Text that cannot be parsed; `line` and `column` count from 1, and are None if unknown."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column

    @classmethod
    def at(cls, mark: "_Mark | None", problem: str) -> "TextError":
        """Make the error for a position in a YAML text."""
        return cls(problem, mark.line + 1, mark.column + 1) if mark else cls(problem)


class ConfigLoader(_SafeLoader):
    """A SafeLoader that reads numbers as YAML 1.2 does and knows only JSON's types."""

    def construct_integer(self, node: ScalarNode) -> int:
        """Read a decimal integer; `_` may group its digits."""
        text = self.construct_scalar(node)
        if len(text) > MAX_INTEGER_DIGITS:
            raise ConstructorError(None, None, f"an integer of {len(text)} digits is too large", node.start_mark)
        try:
            return int(text.replace("_", ""))
        except ValueError:
            raise ConstructorError(None, None, f"{text!r} is no integer", node.start_mark) from None

    def construct_float(self, node: ScalarNode) -> float:
        """Read a float; the config models refuse infinity and NaN with a better message."""
        text = self.construct_scalar(node)
        special = _SPECIAL_FLOAT.fullmatch(text)
        try:
            return float(special["sign"] + special["name"] if special else text.replace("_", ""))
        except ValueError:
            raise ConstructorError(None, None, f"{text!r} is no number", node.start_mark) from None

    def construct_boolean(self, node: ScalarNode) -> bool:
        """Read YAML 1.1's words for true and false, which users of PyYAML expect."""
        text = self.construct_scalar(node)
        if text.lower() not in self.bool_values:
            raise ConstructorError(None, None, f"{text!r} is neither true nor false", node.start_mark)
        return bool(self.bool_values[text.lower()])

    def refuse_tag(self, node: Node) -> None:
        """Refuse all other tags: dates, binaries, sets, Python objects and so on."""
        tag = node.tag.replace(_TAG, "!!")
        raise ConstructorError(None, None, f"the tag {tag} has no place in a config", node.start_mark)


ConfigLoader.yaml_implicit_resolvers = {}
ConfigLoader.yaml_constructors = {
    _TAG + "null": ConfigLoader.construct_yaml_null,
    _TAG + "bool": ConfigLoader.construct_boolean,
    _TAG + "int": ConfigLoader.construct_integer,
    _TAG + "float": ConfigLoader.construct_float,
    _TAG + "str": ConfigLoader.construct_yaml_str,
    _TAG + "seq": ConfigLoader.construct_yaml_seq,
    _TAG + "map": ConfigLoader.construct_yaml_map,
    None: ConfigLoader.refuse_tag,
}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", list("yYnNtTfFoO")),
    ("int", r"[-+]?[0-9][0-9_]*", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     list("-+0123456789.")),
    ("merge", r"<<", ["<"]),
):  # fmt: skip
    ConfigLoader.add_implicit_resolver(_TAG + _tag, re.compile(rf"(?:{_pattern})\Z"), _first)


def parse_yaml(text: str, *, key: str = "") -> Any:
    """Read one YAML document into dicts, lists, strings, numbers, booleans and None.

    key: the dotted key whose value the text is; empty for a whole file

    Raises TextError for malformed text, a key given twice, a key that is no text or longer than MAX_KEY, a tag, a
    second document, and for text nested deeper than MAX_DEPTH or that stands, its aliases followed, for more than
    MAX_VALUES values or MAX_TEXT characters.
    """
    try:
        _check_directives(text)
        _check_size(text)
        loader = ConfigLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check_keys(node, key)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        problem = ", ".join(part for part in (exc.context, exc.problem) if part)
        raise TextError.at(exc.problem_mark or exc.context_mark, problem) from exc
    except yaml.YAMLError as exc:
        raise TextError(" ".join(str(exc).split())) from exc


def _check_directives(text: str) -> None:
    """Refuse %TAG directives: configs have no tags, and libyaml's time is quadratic in their number."""
    if found := _TAG_DIRECTIVE.search(text):
        line = text.count("\n", 0, found.end()) + 1
        raise TextError("%TAG has no place in a config, as no tag has; remove the line", line, 1)


def _check_size(text: str) -> None:
    """Compute the size with expanded aliases from the parser's events, before any value is built."""
    sizes: dict[str, _Size] = {}
    open_nodes: list[tuple[str | None, _Size]] = []
    total = _Size(values=0, characters=0)
    for event in yaml.parse(text, Loader=ConfigLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in (anchor for anchor, _ in open_nodes):
                raise TextError.at(event.start_mark, f"*{event.anchor} refers to itself")
            total = total.plus(sizes.get(event.anchor or "", _Size(values=1, characters=0)))
        elif isinstance(event, yaml.ScalarEvent):
            scalar = _Size(values=1, characters=len(event.value))
            total = total.plus(scalar)
            if event.anchor:
                sizes[event.anchor] = scalar
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total))
            total = total.plus(_Size(values=1, characters=0))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = total.minus(before)
        if len(open_nodes) > MAX_DEPTH:
            raise TextError.at(event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
        if total.values > MAX_VALUES:
            raise TextError.at(event.start_mark, f"stands for more than {MAX_VALUES} values")
        if total.characters > MAX_TEXT:
            raise TextError.at(event.start_mark, f"stands for more than {MAX_TEXT} characters, its aliases followed")


def _check_keys(root: Node, place: str) -> None:
    """Check that every key is text and unique, before merges (`<<`) add keys that may be overridden.

    A number is text where it may be an env step. place: the dotted key of the root
    """
    pending, seen = [(root, place)], {id(root)}
    while pending:
        node, place = pending.pop()
        children: list[tuple[Node, str]] = []
        if isinstance(node, MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                if key.tag in _NUMBERS and takes_whole_keys(place):
                    key.tag, key.value = _TAG + "str", key.value.replace("_", "")
                if not isinstance(key, ScalarNode) or key.tag not in (_TAG + "str", _TAG + "merge"):
                    written = f"key {key.value}" if isinstance(key, ScalarNode) else "a key"
                    raise TextError.at(key.start_mark, f"{written} must be text; put it in quotes")
                if problem := _key_problem(key.value):
                    raise TextError.at(key.start_mark, problem)
                if key.value in lines:
                    problem = f"key {key.value!r} is given twice, first on line {lines[key.value]}"
                    raise TextError.at(key.start_mark, problem)
                lines[key.value] = key.start_mark.line + 1
                children.append((value, f"{place}.{key.value}" if place else key.value))
        elif isinstance(node, SequenceNode):
            children = [(child, place) for child in node.value]
        for child, below in children:
            if id(child) not in seen:
                seen.add(id(child))
                pending.append((child, below))


def _key_problem(key: str) -> str | None:
    if len(key) > MAX_KEY:
        return f"key {key[:20]!r}… has {len(key)} characters, and may have {MAX_KEY}"
    return None


def parse_json(text: str) -> Any:
    """Read one JSON document.

    Raises TextError for malformed text, a key given twice or longer than MAX_KEY, and endless nesting.
    """

    def to_dict(items: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, _ in items:
            if problem := _key_problem(key):
                raise TextError(problem)
        data = dict(items)
        if len(data) < len(items):
            [(key, _)] = Counter(key for key, _ in items).most_common(1)
            lines = [text.count("\n", 0, found.start()) + 1 for found in re.finditer(rf'"{re.escape(key)}"\s*:', text)]
            where = f" (it stands on lines {', '.join(map(str, lines[:5]))})" if lines else ""
            raise TextError(f"key {key!r} is given twice in one object{where}")
        return data

    try:
        return json.loads(text, object_pairs_hook=to_dict, parse_int=_json_integer)
    except json.JSONDecodeError as exc:
        raise TextError(exc.msg, exc.lineno, exc.colno) from exc
    except RecursionError as exc:
        raise TextError(f"nested deeper than {MAX_DEPTH} levels") from exc


def _json_integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise TextError(f"an integer of {len(digits)} digits is too large")
    return int(digits)
