"""Figures as text, and figures divided by figures."""

import statistics


def spread(values, form, factor=1):
    """ "median (lowest-highest)", each in this format; only the one when there is one, "-" when there is none."""
    values = [value * factor for value in values]
    if not values:
        return "-"
    middle = f"{statistics.median(values):{form}}"
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}}-{max(values):{form}})"


def ratio(ones, others):
    """Median over the rounds of one figure divided by the other of the same round."""
    return statistics.median(one / other for one, other in zip(ones, others))
