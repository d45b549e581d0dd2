"""Single faults of the kinds that a tired engineer writes, made by text rules.

The rules change the model's own SQL and leave its Jinja as it is, so that a faulty model is
compiled, and its unit tests run, exactly as dbt would do it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HIDDEN = re.compile(r"\{#.*?#\}|--[^\n]*|'[^'\n]*'(?=[^\n]*\}\})|\{%.*?%\}", re.DOTALL)
_TEXT = re.compile(r"'[^'\n]*'")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_QUALIFIED = re.compile(r"\b([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)\b")
_SWAPS = {
    "min": "max",
    "max": "min",
    "min_by": "max_by",
    "max_by": "min_by",
    "greatest": "least",
    "least": "greatest",
    "lead": "lag",
    "lag": "lead",
    "bool_or": "bool_and",
    "bool_and": "bool_or",
}
# Columns that stand in for each other without an error of types.
_FAMILIES = ("_month", "_at", "_date", "_usd", "_amount", "_minor", "_count", "_id", "mrr")


@dataclass(frozen=True)
class Fault:
    """One change of a model's text.

    Attributes:
        kind: What a person would have got wrong.
        start: Where the changed text begins.
        end: Where it ends.
        text: What it becomes.
    """

    kind: str
    start: int
    end: int
    text: str

    def apply(self, code: str) -> str:
        """The faulty text."""
        return code[: self.start] + self.text + code[self.end :]

    def describe(self, code: str) -> str:
        """The line and the change, on one line."""
        line = code.count("\n", 0, self.start) + 1
        before = " ".join(code[self.start : self.end].split())
        after = " ".join(self.text.split())
        return f"line {line}: {before or 'nothing'} -> {after or 'nothing'}"


def faults(code: str, numeric: dict[str, str]) -> list[Fault]:
    """Every fault that the rules find in a model.

    Args:
        code: The model's text.
        numeric: Its numeric columns with their types.
    """
    masked = _masked(code)
    found = [fault for rule in _RULES for fault in rule(masked, code)]
    found += _last_line(code, numeric)
    return found


def _masked(code: str) -> str:
    """The text with comments and Jinja statements as blanks, so that places stay the same."""

    def blank(match: re.Match[str]) -> str:
        if match[0].startswith(("{#", "--", "{%")):
            return re.sub(r"[^\n]", " ", match[0])
        return match[0]

    return _HIDDEN.sub(blank, code)


def _comparisons(code: str, _: str) -> Iterator[Fault]:
    changed = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "!=": "="}
    bare = _TEXT.sub(lambda match: " " * len(match[0]), code)
    for match in re.finditer(r"(?<= )(<=|>=|!=|<|>)(?= )", bare):
        yield Fault("comparison", match.start(), match.end(), changed[match[0]])
    for match in re.finditer(r"\b(?:when|where|and) [\w.]+ (=) ", bare):
        yield Fault("comparison", match.start(1), match.end(1), "!=")
    for match in re.finditer(r"\bis (not )?null\b", bare):
        yield Fault(
            "comparison", match.start(), match.end(), "is null" if match[1] else "is not null"
        )


def _joins(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"\b(left|inner)(?= join\b)", code):
        other = {"left": "inner", "inner": "left"}[match[0]]
        yield Fault("join kind", match.start(), match.end(), other)


def _filters(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"^ *and [^\n]*\n", code, re.MULTILINE):
        condition = match[0]
        if condition.count("(") == condition.count(")") and "{%" not in condition:
            kind = "join key" if re.search(r"^ *and [\w.]+ = \w+\.\w+ *$", condition) else "filter"
            yield Fault(f"{kind} dropped", match.start(), match.end(), "")
    for match in re.finditer(
        r"^ *where (\S[^\n]*)\n(?= *(?:\n|group|qualify|order|\)))", code, re.M
    ):
        if match[1].count("(") == match[1].count(")"):
            yield Fault("filter dropped", match.start(), match.end(), "\n")
    for match in re.finditer(r" filter \(\s*where [^()]*(?:\([^()]*\)[^()]*)*\)", code):
        yield Fault("filter dropped", match.start(), match.end(), "")
    for match in re.finditer(r"\b(?:where|and|or|when) (not )", code):
        yield Fault("filter dropped", match.start(1), match.end(1), "")
    for match in re.finditer(r"^ *(?:and|or)\b|(?<=\S )(?:and|or)\b(?= \S)", code, re.M):
        if "between" not in code[max(0, match.start() - 60) : match.start()]:
            word = match[0].strip()
            start = match.end() - len(word)
            yield Fault("and for or", start, match.end(), {"and": "or", "or": "and"}[word])


def _signs(code: str, _: str) -> Iterator[Fault]:
    bare = _TEXT.sub(lambda match: " " * len(match[0]), code)
    for match in re.finditer(r"(?<=[\w)}] )[+-](?= [\w({])|^ +[+-](?= [\w({])", bare, re.M):
        at = match.end() - 1
        yield Fault("sign", at, at + 1, "-" if code[at] == "+" else "+")
    for match in re.finditer(r"(?<=[( ])-(?=[a-z_]+)", bare):
        if code[match.start() - 2 : match.start()] != "{%":
            yield Fault("sign", match.start(), match.end(), "")


def _windows(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"partition by ([\w.]+(?:,\s*[\w.]+)*)", code):
        keys = list(re.finditer(r"[\w.]+", match[1]))
        offset = match.start(1)
        for index, key in enumerate(keys):
            if len(keys) == 1:
                yield Fault("window key", match.start(), offset + key.end(), "")
            elif index + 1 < len(keys):
                end = keys[index + 1].start()
                yield Fault("window key", offset + key.start(), offset + end, "")
            else:
                yield Fault("window key", offset + keys[index - 1].end(), offset + key.end(), "")
    for match in re.finditer(r"(?<=order by )[\w.]+( desc)?", code):
        text = match[0].removesuffix(" desc") if match[1] else f"{match[0]} desc"
        yield Fault("window order", match.start(), match.end(), text)
    for match in re.finditer(r"(?<=between )\d+(?= preceding)", code):
        yield Fault("window key", match.start(), match.end(), str(int(match[0]) + 1))


def _coalesces(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"\bcoalesce\(", code):
        arguments = _arguments(code, match.end())
        if len(arguments) > 1:
            (one, one_end), (two, two_end) = arguments[:2]
            first, second = code[one:one_end], code[two:two_end]
            if re.fullmatch(r"0|false|true|'[^']*'|[\d.]+", second):
                yield Fault("coalesce order", match.start(), arguments[-1][1] + 1, first)
            else:
                swapped = second + code[one_end:two] + first
                yield Fault("coalesce order", one, two_end, swapped)


def _arguments(code: str, start: int) -> list[tuple[int, int]]:
    """Where the arguments of a call begin and end, without white space around them."""
    depth, begin, found = 0, start, []
    for at in range(start, len(code)):
        letter = code[at]
        if letter in ",)" and depth == 0:
            text = code[begin:at]
            left = begin + len(text) - len(text.lstrip())
            found.append((left, left + len(text.strip())))
            begin = at + 1
            if letter == ")":
                return found
        depth += (letter in "([{") - (letter in ")]}")
    return []


def _functions(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(rf"\b({'|'.join(_SWAPS)})(?=\()", code):
        yield Fault("min for max", match.start(), match.end(), _SWAPS[match[0]])
    for match in re.finditer(r"(?<=count\()distinct |(?<=select) distinct\b", code):
        yield Fault("distinct dropped", match.start(), match.end(), "")
    for match in re.finditer(r"\bsum\((?=\w)", code):
        yield Fault("min for max", match.start(), match.end(), "max(")


def _unions(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"\bunion( all)?\b", code):
        yield Fault("union", match.start(), match.end(), "union" if match[1] else "union all")
    for match in re.finditer(r"\n\n +union(?: all)?\n\n(.*?)\n\n(?=\)| +union)", code, re.DOTALL):
        yield Fault("union", match.start(), match.end(1), "")


def _units(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"(?<=[\s(\[,=<>*/+-])\d+\b(?![.\w])", code):
        if "decimal(" not in code[max(0, match.start() - 12) : match.start()]:
            number = int(match[0])
            yield Fault("unit", match.start(), match.end(), str(number + 1))
    for match in re.finditer(r"interval '?(\d+)'? (day|month|hour|minute|second)s?\b", code):
        at = match.start(1)
        yield Fault("unit", at, match.end(1), str(int(match[1]) + 1))
    for match in re.finditer(r"'(day|month|hour|week|quarter)'(?=,)", code):
        other = {"day": "month", "month": "quarter", "hour": "day", "week": "day"}
        yield Fault("unit", match.start(1), match.end(1), other.get(match[1], "month"))
    for match in re.finditer(r"\{\{ (minor_to_major|to_usd)\((.*?)\) \}\}", code, re.DOTALL):
        amount = re.match(r"\s*'([^']*)'", match[2])
        if amount:
            yield Fault("unit", match.start(), match.end(), amount[1])


def _columns(code: str, _: str) -> Iterator[Fault]:
    """A column of the same relation and kind, such as the month of another rate."""
    places = [
        match for match in _QUALIFIED.finditer(code) if not code[: match.start()].endswith("ref('")
    ]
    known: dict[str, set[str]] = {}
    for match in places:
        known.setdefault(match[1], set()).add(match[2])
    for match in places:
        family = next((end for end in _FAMILIES if match[2].endswith(end)), None)
        others = [
            name
            for name in sorted(known[match[1]] - {match[2]})
            if family and name.endswith(family)
        ]
        kind = "rate month" if family == "_month" else "column"
        for other in others:
            yield Fault(kind, match.start(2), match.end(2), other)


def _branches(code: str, _: str) -> Iterator[Fault]:
    for match in re.finditer(r"^ *when [^\n]* then [^\n]*\n(?= *(?:when|else))", code, re.M):
        if match[0].count("(") == match[0].count(")"):
            yield Fault("branch dropped", match.start(), match.end(), "")


def _last_line(code: str, numeric: dict[str, str]) -> Iterator[Fault]:
    match = re.search(r"^select \* from (\w+)\s*\Z", code, re.M)
    if not match:
        return
    end = len(code.rstrip())
    for remainder in range(2):
        text = f"select * from {match[1]} where hash({match[1]}) % 4 != {remainder}"
        yield Fault("rows dropped", match.start(), end, text)
    for column, data_type in numeric.items():
        text = f"select * replace (cast({column} + 1 as {data_type}) as {column}) from {match[1]}"
        yield Fault("column plus one", match.start(), end, text)


_RULES: tuple[Callable[[str, str], Iterator[Fault]], ...] = (
    _comparisons,
    _joins,
    _filters,
    _signs,
    _windows,
    _coalesces,
    _functions,
    _unions,
    _units,
    _columns,
    _branches,
)
