"""Prints the coefficients of `elementwise.rs` and how far they are off: `python3 coefficients.py` (needs numpy).

Both are Chebyshev interpolants, turned into powers and rounded to f32; errors are of the polynomial in f32.
"""

import math

import numpy as np
from numpy.polynomial import chebyshev, polynomial

GELU_LIMIT = 5.75
GELU_DEGREE = 16
EXP_LIMIT = math.log(2) / 2
EXP_DEGREE = 6


def normal_distribution(x: np.ndarray) -> np.ndarray:
    return np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x])


def gelu_part(place: np.ndarray) -> np.ndarray:
    """`(distribution(x) - 1/2) / x` where `place = 2 x² / GELU_LIMIT² - 1`."""
    x = np.sqrt((np.asarray(place) + 1) / 2) * GELU_LIMIT
    safe = np.maximum(x, 1e-9)
    return np.where(x > 1e-9, (normal_distribution(safe) - 0.5) / safe, 1 / math.sqrt(2 * math.pi))


def in_f32(coefficients: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Horner's scheme in f32."""
    total = np.full_like(at, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = (total * at + coefficient).astype(np.float32)
    return total


def main() -> None:
    gelu = chebyshev.cheb2poly(chebyshev.chebinterpolate(gelu_part, GELU_DEGREE)).astype(np.float32)
    x = np.linspace(-GELU_LIMIT, GELU_LIMIT, 200_001).astype(np.float32)
    place = (x * x * np.float32(2 / GELU_LIMIT**2) - np.float32(1)).astype(np.float32)
    found = x * (x * in_f32(gelu, place) + np.float32(0.5))
    print("GELU", [float(value) for value in gelu])
    print("largest absolute error", np.abs(found - x * normal_distribution(x)).max())

    scaled = chebyshev.cheb2poly(chebyshev.chebinterpolate(lambda s: np.exp(s * EXP_LIMIT), EXP_DEGREE))
    exp = np.array([value / EXP_LIMIT**power for power, value in enumerate(scaled)]).astype(np.float32)
    rest = np.linspace(-EXP_LIMIT, EXP_LIMIT, 100_001).astype(np.float32)
    print("EXP", [float(value) for value in exp])
    print("largest relative error", np.abs(in_f32(exp, rest) / np.exp(rest.astype(np.float64)) - 1).max())


if __name__ == "__main__":
    main()
