"""The values are scipy's (1.17.1): chi2.sf, binom.sf/cdf, poisson.sf, special.kolmogorov."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.statistics import special


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (special.chi_square_upper(7.8, 3), 0.050331097859853326),
        (special.chi_square_upper(1400, 1000), 7.032145641828496e-16),
        (special.binomial_upper(12, 200, 0.03), 0.01841131984209416),
        (special.binomial_lower(3, 5000, 0.002), 0.010283141390855339),
        (special.poisson_upper(12, 5.5), 0.010988141058626786),
        (special.kolmogorov_upper(1.36), 0.049485876755377876),
        (special.kolmogorov_upper(0.4), 0.9971923267772983),
        (special.normal_two_sided(1.959963984540054), 0.05),
    ],
)
def test_tail_probabilities_agree_with_scipy(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "probability",
    [
        special.chi_square_upper(0, 4),
        special.binomial_upper(0, 10, 0.2),
        special.binomial_lower(10, 10, 0.2),
        special.poisson_upper(0, 3.0),
        special.kolmogorov_upper(0),
        special.normal_two_sided(0),
    ],
)
def test_what_always_happens_has_probability_one(probability: float) -> None:
    assert probability == 1.0


def test_what_cannot_happen_has_probability_zero() -> None:
    assert special.binomial_upper(11, 10, 0.2) == 0.0
    assert special.binomial_lower(-1, 10, 0.2) == 0.0
    assert special.poisson_upper(1, 0.0) == 0.0


@given(st.integers(0, 400), st.integers(1, 400), st.floats(0.001, 0.999))
def test_the_two_tails_of_a_binomial_add_up(k: int, n: int, p: float) -> None:
    total = special.binomial_upper(k, n, p) + special.binomial_lower(k - 1, n, p)
    assert total == pytest.approx(1.0, abs=1e-9)


@given(st.integers(1, 500), st.floats(0.01, 800))
def test_the_poisson_tail_is_a_sum_of_its_terms(k: int, mean: float) -> None:
    step = special.poisson_upper(k, mean) - special.poisson_upper(k + 1, mean)
    assert -1e-12 <= step <= 1.0
