"""Vendor-shaped ids, derived from the seed and a record's own key, so that every run repeats."""

import hashlib
from functools import cache

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def _digest(seed: int, *key: object) -> int:
    text = "/".join([str(seed), *map(str, key)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=24).digest())


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(digits)


def stripe_id(prefix: str, seed: int, *key: object) -> str:
    """A Stripe id: `cus_` and `prod_` carry 14 base62 characters, other kinds `1` and 23.

    The eight characters of the Stripe account are shared by all long ids of one seed, as in real
    accounts.
    """
    body = _base62(_digest(seed, prefix, *key), 15)
    if prefix in {"cus", "prod", "si", "plan"}:
        return f"{prefix}_{body[:14]}"
    return f"{prefix}_1{body}{_stripe_account(seed)}"


@cache
def _stripe_account(seed: int) -> str:
    return _base62(_digest(seed, "stripe account"), 8)


def salesforce_suffix(id15: str) -> str:
    """The three checksum characters of an 18-character Salesforce id: the case of each letter."""
    return "".join(
        _SUFFIX[sum(1 << bit for bit, char in enumerate(id15[at : at + 5]) if "A" <= char <= "Z")]
        for at in (0, 5, 10)
    )


def salesforce_id(prefix: str, seed: int, *key: object) -> str:
    """An 18-character Salesforce id with its checksum, such as `001Hp00002g1VGjIAM`.

    Args:
        prefix: The object's three-character key prefix, such as `001` for Account.
        seed: The run's seed; with the prefix and key it alone decides the id.
        key: What distinguishes the record from others of its kind.
    """
    id15 = f"{prefix}Hp0000{_base62(_digest(seed, prefix, *key), 6)}"
    return id15 + salesforce_suffix(id15)


def salesforce_sequence_id(prefix: str, number: int) -> str:
    """An 18-character Salesforce id from a running number: later records sort after earlier ones.

    Salesforce assigns ids in order, which distinguishes two saves of one second.
    """
    digits = _base62(number, 6)[::-1]
    id15 = f"{prefix}Hp0001{digits}"
    return id15 + salesforce_suffix(id15)


def uuid_like(seed: int, *key: object) -> str:
    """A version-4-shaped UUID, as browsers send for `anonymousId`."""
    text = f"{_digest(seed, 'uuid', *key):048x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def account_salesforce_id(seed: int, account_key: int) -> str:
    """The Salesforce Account id of a simulated account, which the other systems' metadata names."""
    return salesforce_id("001", seed, "account", account_key)


def account_customer_id(seed: int, account_key: int, customer_number: int = 0) -> str:
    """The Stripe id of an account's customer; a second customer of one account has number 1."""
    return stripe_id("cus", seed, account_key, customer_number)


def account_group_id(seed: int, account_key: int) -> str:
    """The Segment groupId of an account's workspace."""
    return f"ws_{uuid_like(seed, 'workspace', account_key)[:8]}"
