"""Fits the churn model once for every month at whose end it could have been fitted.

The model is a logistic regression on standardised inputs. SQL computes the inputs and the scores;
here are only the coefficients. A month's outcome is known three months later, so the model of an
origin is fitted on the months up to three before it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

HORIZON_MONTHS = 3
LEAST_CHURNS = 30
GROUPS = ("open", "ending")
INTERCEPT = "intercept"

# The smaller, the nearer all coefficients are to 0 while few churns are known.
_PENALTY = 0.05
# The weights come from all months, how many churn from the last of them: a young company's early
# customers leave more often than those it has now. A year holds every season.
_LEVEL_MONTHS = 12
_REPLICATES = 50
_SEED = 7
_METHOD = "1"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Months = npt.NDArray[np.datetime64]


class Coefficient(NamedTuple):
    """A row of `raw_predict.churn_coefficients`; the columns are described in its staging model."""

    model_version: str
    origin_month: str
    trained_through_month: str
    account_group: str
    method: str
    example_count: int
    churn_count: int
    replicate_number: int
    feature_name: str
    coefficient: float
    centre: float
    scale: float


@dataclass(frozen=True)
class Examples:
    """Accounts at the ends of months, all arrays of the same length.

    Attributes:
        features: names of the columns of `inputs`.
        inputs: one row per example; NaN where an input is unknown.
        accounts: the account of each example, as a number.
        months: the month of each example, `datetime64[M]`.
        is_ending: whether the account's end was already certain.
        is_known: whether the outcome is known.
        has_churned: whether it churned within the horizon.
        churned_months: when it churned; NaT otherwise.
    """

    features: tuple[str, ...]
    inputs: Floats
    accounts: npt.NDArray[np.int64]
    months: Months
    is_ending: Flags
    is_known: Flags
    has_churned: Flags
    churned_months: Months


class _Fit(NamedTuple):
    """Coefficients of one fit: those of the features, and the intercept."""

    slopes: Floats
    intercept: float


def model_version(features: tuple[str, ...], least_churns: int) -> str:
    """A name that changes with the features and the settings."""
    settings = (_METHOD, features, _PENALTY, _LEVEL_MONTHS, HORIZON_MONTHS, least_churns)
    return f"churn-{hashlib.sha256(repr(settings).encode()).hexdigest()[:8]}"


def fit_origins(examples: Examples, *, least_churns: int = LEAST_CHURNS) -> Iterator[Coefficient]:
    """The coefficients of every origin, each from the outcomes known by then.

    Args:
        examples: all accounts and months, those without a known outcome too.
        least_churns: churns without which all accounts get the share that churned.
    """
    if not len(examples.months):
        return
    version = model_version(examples.features, least_churns)
    newest = examples.months.max()
    first = examples.months.min() + np.timedelta64(HORIZON_MONTHS, "M")
    for origin in np.arange(first, newest + np.timedelta64(1, "M")):
        through = origin - np.timedelta64(HORIZON_MONTHS, "M")
        for group in GROUPS:
            is_in_group = examples.is_ending == (group == "ending")
            chosen = (examples.months <= through) & is_in_group & examples.is_known
            churns = _churn_count(examples, chosen)
            is_base_rate = group == "ending" or churns < least_churns
            fit = _base_rates if is_base_rate else _logistic
            replicates = _REPLICATES if origin == newest else 0
            for number, name, coefficient, centre, scale in fit(examples, chosen, replicates):
                yield Coefficient(
                    version,
                    f"{origin}-01",
                    f"{through}-01",
                    group,
                    "base_rate" if is_base_rate else "logistic",
                    int(chosen.sum()),
                    churns,
                    number,
                    name,
                    float(coefficient),
                    float(centre),
                    float(scale),
                )


def _churn_count(examples: Examples, chosen: Flags) -> int:
    """Distinct churns, each of which is the outcome of up to three months."""
    churned = chosen & examples.has_churned
    pairs = zip(
        examples.accounts[churned].tolist(), examples.churned_months[churned].tolist(), strict=True
    )
    return len(set(pairs))


# Replicate, feature, coefficient, centre and scale.
_Row = tuple[int, str, float, float, float]


def _base_rates(examples: Examples, chosen: Flags, replicates: int) -> Iterator[_Row]:
    """The share that churned as an intercept, with half a churn and half a stay added to it.

    The replicates are even quantiles of the share's posterior distribution.
    """
    churned = examples.has_churned[chosen].sum() + 0.5
    stayed = (~examples.has_churned[chosen]).sum() + 0.5
    shares = [churned / (churned + stayed)]
    shares += list(beta.ppf((np.arange(replicates) + 0.5) / max(replicates, 1), churned, stayed))
    for number, share in enumerate(np.clip(shares, 1e-9, 1 - 1e-9)):
        yield number, INTERCEPT, float(np.log(share / (1 - share))), 0, 1


def _logistic(examples: Examples, chosen: Flags, replicates: int) -> Iterator[_Row]:
    """A logistic regression, and its refits on as many accounts drawn with replacement."""
    inputs, centres, scales = standardised(examples.inputs[chosen])
    outcomes = examples.has_churned[chosen]
    months = examples.months[chosen]
    is_recent = months > months.max() - np.timedelta64(_LEVEL_MONTHS, "M")
    accounts, places = np.unique(examples.accounts[chosen], return_inverse=True)
    rng = np.random.default_rng(_SEED)
    for number in range(replicates + 1):
        draws = rng.multinomial(len(accounts), np.full(len(accounts), 1 / len(accounts)))
        weights = draws[places].astype(float) if number else np.ones(len(outcomes))
        fit = _levelled(
            _fitted(inputs, outcomes, weights),
            inputs[is_recent],
            outcomes[is_recent],
            weights[is_recent],
        )
        yield number, INTERCEPT, fit.intercept, 0, 1
        for name, slope, centre, scale in zip(
            examples.features, fit.slopes, centres, scales, strict=True
        ):
            yield number, name, slope, centre, scale


def standardised(inputs: Floats) -> tuple[Floats, Floats, Floats]:
    """Inputs with mean 0 and deviation 1, unknown ones 0, and the means and deviations used."""
    is_seen = ~np.isnan(inputs)
    counts = np.maximum(is_seen.sum(axis=0), 1)
    centres = np.where(is_seen, inputs, 0).sum(axis=0) / counts
    shifted = np.where(is_seen, inputs - centres, 0)
    scales = np.sqrt((shifted**2).mean(axis=0))
    scales = np.where(scales > 0, scales, 1.0)
    return shifted / scales, centres, scales


def _fitted(inputs: Floats, outcomes: Flags, weights: Floats) -> _Fit:
    if len(np.unique(outcomes[weights > 0])) < 2:
        # No churn was drawn, or nothing else.
        share = float(np.clip(np.average(outcomes, weights=weights), 1e-9, 1 - 1e-9))
        return _Fit(np.zeros(inputs.shape[1]), float(np.log(share / (1 - share))))
    model = LogisticRegression(C=_PENALTY, tol=1e-8, max_iter=1000)
    # On matrices this small, several threads mostly wait for each other.
    with threadpool_limits(limits=1):
        model.fit(inputs, outcomes, sample_weight=weights)
    return _Fit(model.coef_[0], float(model.intercept_[0]))


def _levelled(fit: _Fit, inputs: Floats, outcomes: Flags, weights: Floats) -> _Fit:
    """The fit with the intercept at which it expects as many churns as there were."""
    log_odds = inputs @ fit.slopes + fit.intercept
    count = weights.sum()
    churns = count * (weights @ outcomes + 0.5) / (count + 1)

    def surplus(shift: float) -> float:
        return float(weights @ expit(log_odds + shift) - churns)

    shift = brentq(surplus, -50, 50, xtol=1e-12) if count else 0.0
    return _Fit(fit.slopes, fit.intercept + float(shift))
