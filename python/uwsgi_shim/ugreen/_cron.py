"""When a cron entry is due. Only the calendar: nothing here waits, and nothing of the server is imported, so it can be tried anywhere."""

import time
from typing import List, Tuple

# The least number is "every so many" at its widest: -60 is minute 0 of every hour.
_FIELDS: List[Tuple[str, int, int, int]] = [
    ("minute", -60, 0, 59),
    ("hour", -24, 0, 23),
    ("day", -31, 1, 31),
    ("month", -12, 1, 12),
    ("weekday", -7, 0, 7),
]

# Minutes that passed while Python code computed are made up for; after a longer gap the clock was set, or the machine slept.
_GAP = 60


class Cron:
    """Minute (0-59), hour (0-23), day (1-31), month (1-12) and weekday (0-7, Sunday is 0 and 7) of the local time. -1 is any, -k is each that can be divided by k.

    With a day and a weekday that are both 0 or more it is due on either; otherwise all five must be met. Raises ValueError with the name of the wrong one, TypeError for what is no int.
    """

    __slots__ = ("_fields",)

    def __init__(self, minute: int, hour: int, day: int, month: int, weekday: int) -> None:
        self._fields = (minute, hour, day, month, weekday)
        for (name, every, least, most), value in zip(_FIELDS, self._fields):
            if not isinstance(value, int):
                raise TypeError(f"{name} must be an int, it is a {type(value).__name__}")
            if not (least <= value <= most or every <= value < 0):
                raise ValueError(f"{name} {value} is neither between {least} and {most}, nor -1 (any), nor down to {every} (-k: every k)")

    def matches(self, local: time.struct_time) -> bool:
        """Whether it is due in the minute of a local time."""
        minute, hour, day, month, weekday = self._fields
        on_day = _meets(day, local.tm_mday)
        # tm_wday counts from Monday.
        on_weekday = _meets(weekday % 7 if weekday >= 0 else weekday, (local.tm_wday + 1) % 7)
        either = day >= 0 and weekday >= 0
        return (
            _meets(minute, local.tm_min)
            and _meets(hour, local.tm_hour)
            and _meets(month, local.tm_mon)
            and ((on_day or on_weekday) if either else (on_day and on_weekday))
        )

    def due_in(self, minutes: range) -> bool:
        """Whether it is due in one of these minutes since 1970."""
        return any(self.matches(time.localtime(minute * 60)) for minute in minutes)


def _meets(wanted: int, value: int) -> bool:
    return value == wanted if wanted >= 0 else value % -wanted == 0


def minutes_since(last: int, minute: int) -> range:
    """The minutes since 1970 that are to be looked at when ``minute`` has come and ``last`` was looked at before: none that was seen already, none that was left out.

    A clock that is set back by up to an hour makes nothing run twice; by more, it is believed.
    """
    if last - _GAP <= minute <= last:
        return range(0)
    return range(last + 1, minute + 1) if last < minute <= last + _GAP else range(minute, minute + 1)


__all__ = ["Cron", "minutes_since"]
