"""The countries that the company sells to: their currency, time zones, cities and names.

Names are in Latin letters that ISO-8859-1 has, because exports of that encoding are read too.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np


@dataclass(frozen=True, slots=True)
class Country:
    """A country; `share` is its part of the accounts, 0 where only a story's account is.

    `forms` are legal forms of companies and `trades` the words that go with a family's name.
    """

    code: str
    currency: str
    share: float
    region: str
    locale: str
    dialing: str
    zones: tuple[str, ...]
    cities: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]


def _country(facts: tuple[str, str, float, str, str, str], *lists: str) -> Country:
    """A country from texts: names are apart by spaces, everything else by commas."""
    code, currency, share, region, locale, dialing = facts
    zones, cities, first_names, last_names, trades, forms = lists
    return Country(
        code=code,
        currency=currency,
        share=share,
        region=region,
        locale=locale,
        dialing=dialing,
        zones=tuple(zones.split(",")),
        cities=tuple(cities.split(",")),
        first_names=tuple(first_names.split()),
        last_names=tuple(last_names.split()),
        trades=tuple(trades.split(",")),
        forms=tuple(forms.split(",")),
    )


_BRITISH_FIRST = """Oliver Amelia George Isla Harry Olivia Noah Freya Jack Emily Leo Poppy Arthur
    Ava Oscar Sophie Charlie Grace Thomas Lily Henry Ella James Ruby William Priya Imran
    Zara Callum"""
_BRITISH_LAST = """Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Walker
    White Thompson Edwards Hughes Green Hall Lewis Clarke Khan Jackson Wood Turner Hill Cooper Ward
    Morris Baker Bennett Ashworth Pemberton Whitfield Harding Langley Marlow Thornton Radcliffe"""
_ENGLISH_TRADES = (
    "Systems,Logistics,Partners,Health,Analytics,Foods,Energy,Advisory,Legal,Design,Capital,"
    "Manufacturing,Software,Insurance,Education,Properties,Media,Engineering,Supply,Works,Labs,"
    "Travel,Networks,Robotics"
)

_ALL = (
    _country(
        ("US", "USD", 0.46, "Americas", "en_US", "+1"),
        "America/New_York,America/Chicago,America/Los_Angeles",
        "New York,Chicago,San Francisco,Austin,Seattle,Boston,Denver,Atlanta",
        """James Mary Robert Linda Michael Jessica David Sarah Daniel Karen Marcus Nancy Anthony
        Lisa Derrick Maria Jose Ashley Kevin Emily Brian Donna Tyler Michelle Aaron Carol Carlos
        Amanda Raymond Melissa Jamal Stephanie Wei Rebecca Luis Laura Dwayne Aisha Nathan Mei""",
        """Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
        Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez
        Clark Ramirez Lewis Robinson Walker Young Allen King Wright Torres Nguyen Hill Flores Green
        Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Chen Patel Kim Washington
        Whitaker Sterling Holloway Prescott Calloway Bridger Lockhart Winslow""",
        _ENGLISH_TRADES,
        "Inc,LLC,Corp,Co",
    ),
    _country(
        ("GB", "GBP", 0.12, "EMEA", "en_GB", "+44"),
        "Europe/London",
        "London,Manchester,Bristol,Leeds,Edinburgh,Birmingham",
        *(_BRITISH_FIRST, _BRITISH_LAST, _ENGLISH_TRADES, "Ltd,LLP,plc"),
    ),
    _country(
        ("DE", "EUR", 0.10, "EMEA", "de_DE", "+49"),
        "Europe/Berlin",
        "Berlin,Hamburg,München,Köln,Frankfurt am Main,Stuttgart",
        """Anna Lukas Lea Maximilian Marie Felix Sophie Paul Johanna Jonas Katharina Tobias Lena Jan
        Emre Julia Stefan Ayse Jürgen Sabine Björn Ulrike Matthias Heike""",
        """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch
        Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann
        Lange Krause Lehmann Köhler König Yilmaz""",
        "Maschinenbau,Logistik,Beratung,Versicherungen,Technik,Handel,Software,Bau,Pharma,Medien,"
        "Energie,Elektro,Verlag,Immobilien",
        "GmbH,AG,KG,SE",
    ),
    _country(
        ("FR", "EUR", 0.07, "EMEA", "fr_FR", "+33"),
        "Europe/Paris",
        "Paris,Lyon,Marseille,Toulouse,Nantes,Lille",
        """Camille Louis Chloé Hugo Manon Jules Léa Gabriel Inès Arthur Zoé Raphaël Élodie Théo
        Amélie Mathieu Aurélie François Nadia Karim""",
        """Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent
        Lefèvre Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard Mercier Benali""",
        "Conseil,Logistique,Santé,Assurances,Énergie,Bâtiment,Numérique,Édition,Industrie,Finance",
        "SAS,SARL,SA",
    ),
    _country(
        ("NL", "EUR", 0.04, "EMEA", "nl_NL", "+31"),
        "Europe/Amsterdam",
        "Amsterdam,Rotterdam,Utrecht,Eindhoven",
        """Daan Emma Sem Julia Bram Sanne Lars Fleur Jeroen Anouk Thijs Lotte Ruben Femke Youssef
        Maud""",
        """Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Dijkstra
        Kuipers Veenstra Postma""",
        "Logistiek,Advies,Techniek,Verzekeringen,Bouw,Media,Software,Handel",
        "B.V.,N.V.",
    ),
    _country(
        ("ES", "EUR", 0.03, "EMEA", "es_ES", "+34"),
        "Europe/Madrid",
        "Madrid,Barcelona,Valencia,Sevilla",
        """Lucía Hugo María Mateo Paula Martín Sofía Álvaro Carmen Diego Marta Javier Elena Sergio
        Nuria Íñigo""",
        """García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Ruiz Jiménez
        Moreno Álvarez Romero Navarro Muñoz""",
        "Consultores,Logística,Seguros,Energía,Construcción,Sistemas,Alimentación,Editorial",
        "S.L.,S.A.",
    ),
    _country(
        ("IE", "EUR", 0.02, "EMEA", "en_IE", "+353"),
        "Europe/Dublin",
        "Dublin,Cork,Galway",
        """Conor Aoife Seán Saoirse Cian Niamh Oisín Ciara Patrick Róisín Declan Gráinne""",
        """Murphy Kelly Byrne Ryan Walsh Doyle Gallagher Doherty Kennedy Lynch Brennan Nolan""",
        _ENGLISH_TRADES,
        "Ltd,DAC",
    ),
    _country(
        ("JP", "JPY", 0.06, "APAC", "ja_JP", "+81"),
        "Asia/Tokyo",
        "Tokyo,Osaka,Nagoya,Fukuoka",
        """Haruto Yui Sota Hina Ren Sakura Yuto Aoi Daiki Misaki Kenji Naoko Takumi Emi Hiroshi
        Keiko""",
        """Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada
        Sasaki Matsumoto Inoue Kimura Hayashi Shimizu Mori Fujita""",
        "Denki,Shoji,Kogyo,Seisaku,Bussan,Shuppan,Kensetsu,Yakuhin",
        "K.K.,Co Ltd",
    ),
    _country(
        ("CA", "CAD", 0.04, "Americas", "en_CA", "+1"),
        "America/Toronto,America/Vancouver",
        "Toronto,Vancouver,Montréal,Calgary",
        """Liam Charlotte Ethan Chloe Lucas Maya Owen Harpreet Benoît Geneviève Logan Priya Mason
        Nora Dylan Simone""",
        """Tremblay Gagnon Roy Singh MacDonald Campbell Bouchard Gill Fraser Côté Pelletier Chan
        Reid Sidhu Lavoie Morrison""",
        _ENGLISH_TRADES,
        "Inc,Ltd",
    ),
    _country(
        ("AU", "AUD", 0.03, "APAC", "en_AU", "+61"),
        "Australia/Sydney",
        "Sydney,Melbourne,Brisbane,Perth",
        """Jack Matilda Lachlan Ruby Cooper Sienna Angus Willow Hamish Chloe Jarrah Mia Darcy
        Tahlia""",
        """Nguyen Williams Kelly Anderson Ryan Murray McKenzie Doyle Hartley Sinclair Barrett Tran
        Fitzgerald Hayes""",
        _ENGLISH_TRADES,
        "Pty Ltd",
    ),
    _country(
        ("SE", "SEK", 0.03, "EMEA", "sv_SE", "+46"),
        "Europe/Stockholm",
        "Stockholm,Göteborg,Malmö,Uppsala",
        """Elsa Oscar Astrid Hugo Maja Axel Ebba Viktor Linnéa Gustav Saga Nils Åsa Björn""",
        """Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Lindberg
        Lindström Bergström Håkansson Sjöberg""",
        "Teknik,Konsult,Bygg,Försäkring,Energi,Handel,Förlag,Medicin",
        "AB",
    ),
    _country(
        ("KW", "KWD", 0.0, "EMEA", "ar_KW", "+965"),
        "Asia/Kuwait",
        "Kuwait City,Salmiya",
        """Fahad Noura Khalid Dalal Yousef Maryam""",
        """Al-Sabah Al-Mutairi Al-Rashidi Al-Enezi Behbehani Al-Kandari""",
        "Trading,Holding,Contracting,Medical",
        "WLL,KSC",
    ),
)
COUNTRIES = {country.code: country for country in _ALL}
COUNTRY_OF = {country.currency: country.code for country in reversed(_ALL)}
ZONES = tuple(sorted({zone for country in _ALL for zone in country.zones} | {"UTC"}))
# A plain letter for each that the folding of accents leaves as it is.
_PLAIN = str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ð": "d"})


def ascii_text(text: str) -> str:
    """A name in plain letters, as in addresses: `Müller` is `Muller`."""
    folded = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return folded.encode("ascii", "ignore").decode()


def zone_of(country: str, key: int) -> str:
    """The time zone of an account or a person of a country, by their key."""
    zones = COUNTRIES[country].zones
    return zones[key % len(zones)]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def _offset_of_day(zone: str, year: int, month: int, day: int) -> timedelta:
    noon = datetime(year, month, day, 12, tzinfo=UTC).astimezone(_zone(zone))
    return noon.utcoffset() or timedelta()


def utc_offset(zone: str, moment: datetime) -> timedelta:
    """What local clocks are ahead of UTC on the day of a naive moment."""
    return _offset_of_day(zone, moment.year, moment.month, moment.day)


def person_name(rng: np.random.Generator, country: str) -> tuple[str, str]:
    """A person's first and last name; one in nine comes from another country."""
    if rng.random() < 0.11:
        country = _ALL[int(rng.integers(len(_ALL)))].code
    home = COUNTRIES[country]
    return (
        home.first_names[int(rng.integers(len(home.first_names)))],
        home.last_names[int(rng.integers(len(home.last_names)))],
    )


class CompanyNames:
    """Names of companies, each with a domain of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def draw(self, rng: np.random.Generator, country: str, key: int) -> tuple[str, str]:
        """A company's name and its domain, both unlike those of the companies before it.

        The names differ by more than the legal form, which comparisons of names leave out.
        """
        home = COUNTRIES[country]
        chosen = rng.choice(len(home.last_names), 3, replace=False)
        last = [home.last_names[int(number)] for number in chosen]
        trade = home.trades[int(rng.integers(len(home.trades)))]
        form = home.forms[int(rng.integers(len(home.forms)))]
        kind = int(rng.integers(10))
        core = f"{last[0]} {trade}" if kind < 6 else f"{last[0]}-{last[1]} {trade}"
        if kind >= 8 and home.region != "APAC":
            core = f"{last[0]}, {last[1]} & {last[2]}"
        for name in (core, f"{last[0]} {last[1]} {trade}", f"{core} {key}"):
            domain = "-".join(ascii_text(name).lower().replace(",", " ").replace("&", " ").split())
            if domain not in self._taken:
                break
        self._taken.add(domain)
        return f"{name} {form}", f"{domain}.example"
