"""Figures as text."""

import statistics


def spread(values, form):
    """Median (lowest-highest), each in this format."""
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"
