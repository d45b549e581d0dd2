r"""Patterns of personal data, in any alphabet.

`\w` of DuckDB's RE2 is ASCII, and RE2 and Python's `re` have no other class in common that holds
every letter. The patterns list what separates words instead, and mean the same in both.
"""

from ingest.load.values import literal

# Spaces and punctuation outside ASCII: quotation marks, dashes, and those of CJK scripts.
_SEPARATORS = (
    "\u0080-\u00a0\u00ab\u00bb\u2000-\u200b\u200e-\u206f"
    "\u3000\u3001\u3008-\u301f\uff08-\uff0c\uff1a-\uff1f"
)
_DOTS = ".\u3002\uff0e\uff61"
# RFC 6531 allows any letter. `/ = ? # & { | }` are legal as well, but they end an address in a URL.
_LOCAL = rf"[^\x00-\x20\"#&()/,:;<=>?@\[\\\]{{|}}\x7f{_SEPARATORS}]"
_LABEL = rf"[^\x00-\x24&-,/:-@\[-^`{{-\x7f{_SEPARATORS}{_DOTS}]"
# A top-level domain begins with a letter, as the decimals of `8@12.50` do not.
_FIRST = rf"[^\x00-\x24&-@\[-`{{-\x7f{_SEPARATORS}{_DOTS}]"

# As typed, full-width, percent-encoded once or more, as an HTML entity, and escaped in JSON.
AT_SIGN = "(?:[@\uff20]|%(?:25)*40|&#(?:64|x40);|\\\\u0040)"

# An e-mail address: with letters of any alphabet, as punycode or percent-encoded. Of a quoted name,
# `"Ann Lee"@acme.example`, the match has only the quotation mark.
EMAIL = rf"(?:{_LOCAL}+|\"){AT_SIGN}{_LABEL}+(?:[{_DOTS}]{_LABEL}+)*[{_DOTS}]{_FIRST}{_LABEL}+"


def has_email(text: str) -> str:
    """The SQL condition that a text holds an e-mail address.

    Args:
        text: the SQL expression of the text.
    """
    # Most texts have no at sign in any form, which is found faster than an address is.
    signs = ("'@'", "'\uff20'", "'40'", "'&#'")
    some = " or ".join(f"contains({text}, {sign})" for sign in signs)
    return f"(({some}) and regexp_matches({text}, {literal(EMAIL)}))"


def is_email(text: str) -> str:
    """The SQL condition that a text is an e-mail address and nothing else."""
    return f"({has_email(text)} and regexp_full_match({text}, {literal(EMAIL)}))"


def split_words(text: str) -> str:
    """The SQL expression of the words of a text, without case, accents and punctuation."""
    return rf"regexp_extract_all(strip_accents(lower({text})), '[\pL\pM\pN]+')"


def words(text: str) -> str:
    """The SQL expression of these words with a space between them."""
    return f"array_to_string({split_words(text)}, ' ')"
