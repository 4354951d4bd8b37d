"""When EventBridge Scheduler starts something, by its cron expressions, in UTC.

The six fields are minutes, hours, day of the month, month, day of the week and year (Amazon
EventBridge Scheduler user guide, *Schedule types*). Libraries were tried: pyawscron 1.0.7 and
aws-croniter 2.1.1 know neither the last weekday of a month (``LW``) nor the last day of the week
(``L``), croniter 7.0.0 counts days of the week from Sunday as 0, so that ``2#1`` is a Tuesday; and
each brings python-dateutil.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

_FORM: Final = re.compile(r"cron\(\s*(.*?)\s*\)")
_PART: Final = re.compile(r"(\*|([A-Z0-9]+)(?:-([A-Z0-9]+))?)(?:/([0-9]{1,4}))?")
_MONTHS: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY: Final = ("*", "?")
_YEARS: Final = (1970, 2199)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Cron:
    """A cron expression.

    Attributes:
        minutes: Minutes of an hour, ascending.
        hours: Hours of a day, ascending.
        months: Months, from 1.
        years: Years.
        month_days: Parts of the field *day of the month*; empty where days of the week count.
        week_days: Parts of the field *day of the week*; empty where days of the month count.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    month_days: tuple[str, ...]
    week_days: tuple[str, ...]

    @classmethod
    def parse(cls, expression: str) -> Self | None:
        """Read ``cron(minutes hours day-of-month month day-of-week year)``.

        Returns:
            ``None`` for what is no such expression, which EventBridge Scheduler refuses, too.
        """
        match = _FORM.fullmatch(expression.strip())
        given = match[1].upper().split() if match else []
        if len(given) != 6 or not (given[2] in _ANY or given[4] in _ANY):
            return None
        try:
            cron = cls(
                tuple(sorted(_numbers(given[0], 0, 59))),
                tuple(sorted(_numbers(given[1], 0, 23))),
                _numbers(given[3], 1, 12, _MONTHS),
                _numbers(given[5], *_YEARS),
                () if given[2] in _ANY else tuple(given[2].split(",")),
                () if given[4] in _ANY else tuple(given[4].split(",")),
            )
            cron._days_of(2000, 1)  # its parts can be read
        except ValueError:
            return None
        return cron

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times behind a moment, ascending; ends with the last year it names."""
        now = moment.astimezone(UTC)
        day, last = now.date(), max(self.years, default=0)
        while day.year <= last:
            if day.year not in self.years or day.month not in self.months:
                day = _next_month(day)
                continue
            begin, days = day, self._days_of(day.year, day.month)
            day = _next_month(day)
            for number in sorted(days):
                if number < begin.day:
                    continue
                for hour in self.hours:
                    for minute in self.minutes:
                        time = datetime(begin.year, begin.month, number, hour, minute, tzinfo=UTC)
                        if time > now:
                            yield time

    def _days_of(self, year: int, month: int) -> set[int]:
        """The days of a month on which it starts something."""
        last = calendar.monthrange(year, month)[1]
        if self.month_days:
            found = {one for part in self.month_days for one in _of_month(part, year, month, last)}
        elif self.week_days:
            found = {one for part in self.week_days for one in _of_week(part, year, month, last)}
        else:
            found = set(range(1, last + 1))
        return {number for number in found if 1 <= number <= last}


def _of_month(part: str, year: int, month: int, last: int) -> set[int]:
    """Days of a month by one part of the field: ``15``, ``1-7``, ``1/5``, ``L``, ``LW``, ``3W``."""
    if match := re.fullmatch(r"L(?:-([0-9]{1,2}))?", part):
        return {last - int(match[1] or 0)}
    if part == "LW":
        return {_nearest_weekday(year, month, last, last)}
    if match := re.fullmatch(r"([0-9]{1,2})W", part):
        day = int(match[1])
        if not 1 <= day <= 31:
            raise ValueError(part)
        return {_nearest_weekday(year, month, day, last)} if day <= last else set()
    return set(_numbers(part, 1, 31))


def _nearest_weekday(year: int, month: int, day: int, last: int) -> int:
    """The day from Monday to Friday that is nearest, in the same month."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _of_week(part: str, year: int, month: int, last: int) -> set[int]:
    """Days of a month by one part of the field: ``MON-FRI``, ``2``, ``L``, ``6L``, ``2#1``."""
    if match := re.fullmatch(r"([A-Z]{3}|[0-9])L", part):
        return {max(_weekdays(_number(match[1], 1, 7, _DAYS), year, month, last))}
    if match := re.fullmatch(r"([A-Z]{3}|[0-9])#([1-5])", part):
        days = sorted(_weekdays(_number(match[1], 1, 7, _DAYS), year, month, last))
        return set(days[int(match[2]) - 1 : int(match[2])])
    wanted = {7} if part == "L" else _numbers(part, 1, 7, _DAYS)
    return {day for number in wanted for day in _weekdays(number, year, month, last)}


def _weekdays(number: int, year: int, month: int, last: int) -> set[int]:
    """All days of a month that are the weekday of a number, Sunday being 1."""
    first = 1 + (number - 2 - date(year, month, 1).weekday()) % 7
    return set(range(first, last + 1, 7))


def _numbers(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers of a field: ``*``, ``5``, ``1-5``, ``20-2`` (over the end), ``0/15``, lists.

    Raises:
        ValueError: If it is none of these.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(part)
        first, end = low, high
        if match[2]:
            first = _number(match[2], low, high, names)
            end = high if match[4] else first
        if match[3]:
            end = _number(match[3], low, high, names)
        if end < first:
            end += high - low + 1
        step = int(match[4] or 1)
        if not step:
            raise ValueError(part)
        found |= {low + (n - low) % (high - low + 1) for n in range(first, end + 1, step)}
    return frozenset(found)


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> int:
    number = low + names.index(text) if text in names else int(text)
    if not low <= number <= high:
        raise ValueError(text)
    return number


def _next_month(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1)
