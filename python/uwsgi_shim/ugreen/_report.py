"""Lines in the log about functions of the application that nobody called directly."""

import sys
import traceback


def report(what: str, error: BaseException) -> None:
    """Write to the log that a function of the application failed; whoever called it directly is left out of the traceback."""
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    tell(what + "\n" + "".join(traceback.format_exception(type(error), error, trace)))


def tell(text: str) -> None:
    """Write to the log."""
    try:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
    except Exception:  # a broken standard error must not end what goes on behind this
        pass


__all__ = ["report", "tell"]
