"""Where visits come from: the referrer, campaign and landing page of each visit's first page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from ingest.generate import usage_events as events
from ingest.generate.usage import Usage
from ingest.generate.usage_events import Flags, Messages, Sessions

_SITE = "https://www.paperdesk.example/"
_APP = "https://app.paperdesk.example/"
PATHS = {
    "Home": _SITE,
    "Pricing": f"{_SITE}pricing",
    "Blog": f"{_SITE}blog",
    "Signup": f"{_APP}signup",
    "Login": f"{_APP}login",
    "Documents": f"{_APP}documents",
    "Upload": f"{_APP}upload",
    "Editor": f"{_APP}editor",
    "Settings": f"{_APP}settings",
}
_IS_PAGE = np.array([kind.message_type == "page" for kind in events.KINDS])


@dataclass(frozen=True, slots=True)
class Arrival:
    """A way to the site.

    `channel` is the warehouse's name for it. `shares` are relative: among visits of strangers, of
    people who will sign up or do, and of users. `landing` replaces the path of the home page.
    """

    channel: str
    referrer: str
    shares: tuple[float, float, float]
    landing: str = ""
    campaign: Mapping[str, str] = field(default_factory=dict)
    click_id: str = ""

    @property
    def query(self) -> str:
        """The query of the landing page's address, with its question mark."""
        parameters = {
            f"utm_{'campaign' if name == 'name' else name}": value
            for name, value in self.campaign.items()
        }
        if self.click_id:
            parameters[self.click_id] = "sample"
        return f"?{urlencode(parameters)}" if parameters else ""


# The first is that of every page but the first of a visit.
ARRIVALS = (
    Arrival("internal", _SITE, (0, 0, 0.06)),
    Arrival("direct", "", (0.24, 0.26, 0.8)),
    Arrival("search", "https://www.google.com/", (0.2, 0.28, 0.04)),
    Arrival("search", "https://www.bing.com/", (0.05, 0.05, 0.01)),
    Arrival("search", "https://www.google.com/", (0.06, 0.02, 0), "blog/merge-pdf-files"),
    Arrival(
        "paid",
        "https://www.google.com/",
        (0.11, 0.1, 0),
        "compress-pdf",
        {"name": "pdf-tools", "source": "google", "medium": "cpc", "term": "compress pdf"},
        "gclid",
    ),
    Arrival(
        "paid",
        "https://www.linkedin.com/",
        (0.1, 0.05, 0),
        "teams",
        {"name": "teams", "source": "linkedin", "medium": "paid-social", "content": "video"},
    ),
    Arrival("social", "https://www.linkedin.com/", (0.07, 0.05, 0.01)),
    Arrival("social", "https://news.ycombinator.com/", (0.08, 0.01, 0), "blog/how-we-render"),
    Arrival("referral", "https://reviews.example/document-workspaces", (0.06, 0.1, 0)),
    Arrival(
        "email",
        "",
        (0.03, 0.08, 0.08),
        campaign={"name": "product-news", "source": "newsletter", "medium": "email"},
    ),
)


def describe_page(name: str, arrival: Arrival) -> tuple[dict[str, object], dict[str, object]]:
    """What a page call has in its properties, and what every message has in its context."""
    url = PATHS.get(name, PATHS["Documents"])
    if name == "Home" and arrival.landing:
        url += arrival.landing
    path = "/" + url.removeprefix("https://").partition("/")[2]
    properties: dict[str, object] = {
        "path": path,
        "title": f"{name} | Paperdesk",
        "url": url + arrival.query,
        "search": arrival.query or None,
        "referrer": arrival.referrer,
    }
    return properties, {"page": {"path": path}, "campaign": dict(arrival.campaign) or None}


def draw_arrivals(
    usage: Usage, sessions: Sessions, messages: Messages, chunk: int
) -> npt.NDArray[np.int8]:
    """A place in ARRIVALS for each message: drawn for the first page of a visit, 0 for all others.

    Args:
        usage: Everybody and every visit.
        sessions: The visits of the chunk.
        messages: Their messages.
        chunk: The number of the chunk, which the draw depends on.
    """
    people, person = usage.people, sessions.person
    group = np.where(people.is_visitor[person] | people.is_bot[person], 0, 1)
    group[sessions.visit_kind == events.PRODUCT] = 2
    shares = np.cumsum([arrival.shares for arrival in ARRIVALS], axis=0).T
    bounds = shares / shares[:, -1:]
    luck = np.random.default_rng([usage.seed, 35, chunk]).random(len(sessions))
    drawn = (luck[:, None] >= bounds[group]).sum(axis=1)
    arrivals = np.zeros(len(messages), dtype=np.int8)
    pages = np.flatnonzero(_IS_PAGE[messages.kind])
    first = pages[np.diff(messages.visit[pages], prepend=-1) > 0]
    arrivals[first] = drawn[messages.visit[first]]
    return arrivals


def has_referrer(usage: Usage, sessions: Sessions, messages: Messages) -> Flags:
    """Whether each message is a page of a browser. Apps send screens, without a referrer."""
    is_mobile: Flags = usage.devices.is_mobile[sessions.device[messages.visit]]
    return _IS_PAGE[messages.kind] & ~is_mobile
