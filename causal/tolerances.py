"""Numerical tolerances: how far apart two floating-point results may be and still count as equal.

A tolerance that only one module needs, and that needs no name elsewhere, is defined there.
"""

# Two exact computations of the same quantity differ by less than this, relative to its size (or
# absolutely, for quantities of about 1, such as probabilities).
ROUNDING = 1e-9

# Two action values that differ by less than this, relative to the largest one, are equally good.
RELATIVE_TIE = 1e-9

# A singular value below this, relative to the largest one (or absolutely, for a matrix of
# probabilities), counts as zero: the matrix is singular.
ZERO_SINGULAR_VALUE = 1e-9

# Two solutions of a linear programme are both optimal if their objectives differ by less than this,
# relative to the optimum.
RELATIVE_OPTIMUM = 1e-11

# An overlap of two intervals of noise that is below this share of the shorter interval, and within
# the rounding error of their ends, counts as empty.
RELATIVE_OVERLAP = 1e-6

# Probabilities of one law sum to 1 within this.
PROBABILITY_SUM = 1e-9

# A probability may differ by this much from the one that the independences of a graph imply.
PROBABILITY_MISFIT = 1e-6
