"""Finding and redacting a person's values in any text, however they are spelled or encoded.

A value is searched as it is, percent-encoded any number of times, escaped in JSON, and as HTML
entities; names with any separators and in either order, phone numbers with any punctuation. Whole
words only: an address that ends like the person's is somebody else's.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from html.entities import codepoint2name

ERASED = "[erased]"

# Shorter values, and plain numbers, are too ambiguous to redact in free text.
_SHORTEST = {"id": 8, "device": 8, "card": 8, "handle": 8, "street": 8, "email": 6, "ip": 7}
_LEAST_LETTERS = 4
_LEAST_IDEOGRAPHS = 3
# Names that are written together, as in a user id, need more letters than those of two words.
_LEAST_TOGETHER = 8
_PHONE_DIGITS = 7
# How far apart two runs of letters of one value can be when what is between them is encoded.
_GAP = ".{0,24}"

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# A letter or digit beside a value makes it part of a longer one, unless it ends an escape.
_ESCAPE_BEFORE = re.compile(r"(?:%(?:25)*[0-9a-f]{2}|\\[nrtbf]|\\u00[0-9a-f]{2}|&#?\w+;)$", re.I)
_JOINED_BEFORE = {
    "email": re.compile(r"[^\W_][.+\-]?$"),
    "number": re.compile(r"\d\.?$"),
}
_EXTENSIONS = "csv|eml|gz|html?|jpe?g|json|jsonl|log|ndjson|parquet|pdf|png|txt|vcf|xlsx?|xml|zip"
_JOINED_AFTER = {
    # A capital after the dot begins the next sentence, and a file has an extension.
    "email": re.compile(rf"[^\W_]|-[^\W_]|\.(?!(?:{_EXTENSIONS})\b)[a-z0-9]"),
    "number": re.compile(r"\.?\d"),
}
_BESIDE = re.compile(r"[^\W_]")
_BESIDE_BEFORE = re.compile(r"[^\W_]$")
_GROUPS = {"email": "email", "phone": "number", "ip": "number", "name": "name"}


def spelled(char: str) -> str:
    """A pattern of one character in every encoding; the syntax is that of RE2 and Python."""
    if char.isascii() and char.isalnum():
        return char
    forms = {re.escape(char)}
    for form in {char, char.lower(), char.upper()}:
        forms.add(re.escape(form))
        forms.add(re.escape(unicodedata.normalize("NFD", form)))
        forms.add("".join(f"%(?:25)*{byte:02x}" for byte in form.encode()))
        units = form.encode("utf-16-be")
        forms.add("".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)))
        if len(form) == 1:
            name = codepoint2name.get(ord(form))
            forms.add(f"&#(?:0*{ord(form)}|x0*{ord(form):x});" + (f"|&{name};" if name else ""))
            if 0x80 <= ord(form) <= 0xFF:
                forms.add(f"%(?:25)*{ord(form):02x}")
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


# Spaces of any kind, and what stands for one in URLs, ids and file names.
_SPACE = (
    "(?:[\\s\u00a0]|\\+|%(?:25)*(?:20|09|0a|0d|2b|a0|c2%(?:25)*a0)"
    r"|\\+[nrt]|\\+u00(?:20|a0)|&nbsp;|&#0*(?:32|160);)"
)
_JOIN = rf"(?:{_SPACE}|[._\-]|%(?:25)*(?:2e|2d|5f))"
_COMMA = rf"(?:{_SPACE}|[,;]|%(?:25)*(?:2c|3b))"
_BETWEEN_DIGITS = rf"(?:{_SPACE}|[().\-/]|%(?:25)*(?:28|29|2e|2d|2f))*"


def _text(value: str) -> str:
    """A value in every encoding, any run of spaces for one."""
    words = value.split()
    return f"{_SPACE}+".join("".join(map(spelled, word)) for word in words)


def _plain(word: str) -> str:
    """A word of a name with or without its accents."""
    parts = []
    for char in word:
        base = unicodedata.normalize("NFD", char)[0]
        both = base != char and base.isascii()
        parts.append(f"(?:{base}|{spelled(char)})" if both else spelled(char))
    return "".join(parts)


def _name(value: str) -> str:
    words = [_plain(word) for word in value.split()]
    join = f"{_JOIN}*" if len(value) - value.count(" ") >= _LEAST_TOGETHER else f"{_JOIN}+"
    forwards = join.join(words)
    backwards = f"{words[-1]}(?:{_COMMA}|{_JOIN})+" + join.join(words[:-1])
    return f"{forwards}|{backwards}"


def digits(value: str) -> str:
    """The digits of a phone number, as one compares it."""
    found = re.sub(r"\D", "", re.sub(r"(?:ext|x|#)\.?\s*\d+$", "", value, flags=re.I))
    return found.removeprefix("00")


def _phone(value: str) -> str:
    """A number with or without its country's code, which ends at the first gap of the number."""
    number = digits(value)
    code = re.match(r"\s*(?:\+|00)\s*(\d{1,3})(?=[\s().\-/])", value)
    forms = [number]
    if code and len(national := number[len(code[1]) :].lstrip("0")) >= _PHONE_DIGITS:
        forms += [national, code[1] + "0" + national, "0" + national]
    forms = sorted(forms, key=len, reverse=True)
    return rf"(?:\+|%(?:25)*2b|00)?\(?(?:{'|'.join(map(_BETWEEN_DIGITS.join, forms))})"


def _address(street: str, places: Iterable[str]) -> str:
    """A street, and the rest of the address where it follows."""
    line = f"{_COMMA}+".join("".join(map(spelled, w)) for w in re.split(r"[\s,;]+", street) if w)
    rest = [_text(place) for place in sorted(set(places), key=len, reverse=True) if place.strip()]
    return f"{line}(?:{_COMMA}+(?:{'|'.join(rest)})\\b)*" if rest else line


def _is_ideograph(char: str) -> bool:
    """Whether a character is of a script that writes no spaces between words."""
    name = unicodedata.name(char, "")
    return name.startswith(("CJK UNIFIED", "HANGUL", "HIRAGANA", "KATAKANA"))


def is_searched(kind: str, value: str) -> bool:
    """Whether a value of this kind is redacted wherever it occurs."""
    if kind == "name":
        if len(value.split()) == 1:
            # Written without spaces; in other scripts, one word is a word of the language too.
            return len(value) >= _LEAST_IDEOGRAPHS and all(map(_is_ideograph, value))
        letters = sum(2 if _is_ideograph(char) else char.isalpha() for char in value)
        return letters >= _LEAST_LETTERS
    if kind == "phone":
        return len(digits(value)) >= _PHONE_DIGITS
    if kind == "ip":
        return len(value) >= _SHORTEST[kind]
    least = _SHORTEST.get(kind)
    if least is None or len(value.strip()) < least:
        return False
    return not re.fullmatch(r"[\d\W]+", value)


class Mentions:
    """The patterns of one person's values.

    Args:
        values: kind and value of each.
        places: the cities, postal codes and second lines of the person's addresses.
        kept: longer values of other people that hold one of these.
    """

    def __init__(
        self, values: Iterable[tuple[str, str]], places: Iterable[str], kept: Iterable[str]
    ) -> None:
        places = list(places)
        searched = sorted({(k, v.strip()) for k, v in values if is_searched(k, v)})
        searched.sort(key=lambda one: -len(one[1]))
        patterns: dict[tuple[str, str], str] = {}
        for kind, value in searched:
            text = unicodedata.normalize("NFC", value)
            match kind:
                case "name":
                    patterns[kind, value] = _name(text)
                case "phone":
                    patterns[kind, value] = _phone(text)
                case "street":
                    patterns[kind, value] = _address(text, places)
                case _:
                    patterns[kind, value] = _text(text)
        groups: dict[str, list[str]] = {"kept": [_text(one) for one in sorted(kept, key=len)[::-1]]}
        # An address before the name in it.
        groups |= {name: [] for name in ("email", "number", "name", "other")}
        for (kind, _), pattern in patterns.items():
            groups[_GROUPS.get(kind, "other")].append(pattern)
        self._pattern = (
            re.compile(
                "|".join(f"(?P<{name}>{'|'.join(p)})" for name, p in groups.items() if p),
                re.IGNORECASE,
            )
            if patterns
            else None
        )
        self.needle = "|".join(
            dict.fromkeys(
                _needle(kind, value, pattern) for (kind, value), pattern in patterns.items()
            )
        )

    def __bool__(self) -> bool:
        return self._pattern is not None

    def holds(self, text: str) -> bool:
        """Whether a text holds a value, even as a part of a longer word."""
        return self._pattern is not None and bool(self._pattern.search(text))

    def redacted(self, text: str) -> str:
        """A text without the person; the same object if the text has nothing of them."""
        if self._pattern is None:
            return text
        found = self._pattern.sub(self._replacement, text)
        return found if found != text else text

    def redacted_json(self, text: str) -> str:
        """JSON without the person; everything but the strings that mention them stays as it is."""

        def replacement(found: re.Match[str]) -> str:
            try:
                value = json.loads(found[0], strict=False)
            except ValueError:
                value = found[0][1:-1]
            redacted = self.redacted(value)
            return found[0] if redacted is value else json.dumps(redacted, ensure_ascii=False)

        return _STRING.sub(replacement, text)

    @staticmethod
    def _replacement(found: re.Match[str]) -> str:
        group = found.lastgroup or ""
        if group == "kept":
            return found[0]
        if _is_ideograph(found[0][0]) and _is_ideograph(found[0][-1]):
            return ERASED
        before, after = found.string[: found.start()][-12:], found.string[found.end() :][:9]
        if _JOINED_AFTER.get(group, _BESIDE).match(after):
            return found[0]
        # Jane Roe-Smith is somebody else, and jane-roe-2 is not.
        if group == "name" and " " in found[0] and re.match(r"-[^\W_]", after):
            return found[0]
        if _ESCAPE_BEFORE.search(before):
            return ERASED
        return found[0] if _JOINED_BEFORE.get(group, _BESIDE_BEFORE).search(before) else ERASED


def _needle(kind: str, value: str, pattern: str) -> str:
    """A short pattern that every spelling of a value has: its first letters and digits in order."""
    text = unicodedata.normalize("NFC", value)
    if kind == "phone":
        return r"(?:[^0-9a-z]|%(?:25)*[0-9a-f]{2})*".join(digits(value)[-_PHONE_DIGITS:])
    runs = re.findall(r"[A-Za-z0-9]+", text)
    if kind == "name":
        # Either order.
        runs = [max(runs, key=len, default="")]
        least = 3
    else:
        least = 6
    needle, length = [], 0
    for run in runs:
        needle.append(run)
        length += len(run)
        if length >= least:
            return _GAP.join(needle)
    return f"(?:{pattern})"
