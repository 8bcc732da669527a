"""The query of the history tab: signals and time range, as represented in the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.vehicle_page.charts import drawable
from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Signal
from vehicles.selectors import VehicleState

MAX_SIGNALS = 8
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=10 * 366)
DEFAULT_RANGE = "24h"
_ENERGY_SIGNALS = (catalogue.STATE_OF_CHARGE, catalogue.FUEL_LEVEL)


@dataclass(frozen=True, slots=True)
class Range:
    """A time range up to now. `short` is the button text, `label` the full text."""

    key: str
    span: timedelta
    short: str | Promise
    label: str | Promise


RANGES = (
    Range("6h", timedelta(hours=6), _("6 h"), _("6 hours")),
    Range("24h", timedelta(hours=24), _("24 h"), _("24 hours")),
    Range("7d", timedelta(days=7), _("7 d"), _("7 days")),
    Range("30d", timedelta(days=30), _("30 d"), _("30 days")),
    Range("90d", timedelta(days=90), _("90 d"), _("90 days")),
    Range("1y", timedelta(days=365), _("1 y"), _("1 year")),
    Range("5y", timedelta(days=5 * 365), _("5 y"), _("5 years")),
)
_BY_KEY = {each.key: each for each in RANGES}


class InvalidQueryError(ValueError):
    """The URL requests something that can't be shown. The message explains why, for users."""


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """The signals, from `start` (inclusive) to `end` (exclusive). `range` is "" for a custom time."""

    signals: Sequence[Signal]
    range: str
    start: datetime
    end: datetime

    @property
    def query(self) -> str:
        """The query string for the URL."""
        times = {"range": self.range} if self.range else {"from": _iso(self.start), "to": _iso(self.end)}
        return urlencode({"signals": ",".join(signal.code for signal in self.signals)} | times, safe=",:")


def chartable_signals(state: VehicleState) -> list[Signal]:
    """Returns the vehicle's signals that can be charted: state of charge or fuel level first, the others by name."""
    known = [
        CATALOGUE[code] for code, row in state.signals.items() if drawable(code) and row.body is not None
    ]
    return sorted(known, key=lambda signal: (signal not in _ENERGY_SIGNALS, signal.label.lower()))


def default_signals(signals: Sequence[Signal]) -> list[Signal]:
    """Returns the signals to chart by default: the energy level, and when the vehicle charged."""
    selected = [signal for signal in (*_ENERGY_SIGNALS, catalogue.IS_CHARGING) if signal in signals]
    return selected or list(signals[:1])


def parse_query(
    query: Mapping[str, str],
    *,
    codes: Sequence[str],
    now: datetime,
    zone: ZoneInfo,
    default: Sequence[Signal],
) -> HistoryQuery:
    """Parses a URL's query.

    `codes` are the requested signals, and `default` those used without any. Times without an offset are in `zone`.
    Raises InvalidQueryError.
    """
    named = [code for part in codes for code in part.split(",") if code]
    signals = [_signal(code) for code in dict.fromkeys(named)] or list(default)
    if len(signals) > MAX_SIGNALS:
        raise InvalidQueryError(
            gettext("You can chart up to %(most)s signals. Remove some.") % {"most": MAX_SIGNALS}
        )
    if not query.get("range") and (query.get("from") or query.get("to")):
        start, end = _times(query.get("from", ""), query.get("to", ""), now=now, zone=zone)
        return HistoryQuery(signals, "", start, end)
    chosen = _BY_KEY.get(query.get("range") or DEFAULT_RANGE)
    if chosen is None:
        raise InvalidQueryError(gettext("Unknown time range. Choose one of the options above."))
    return HistoryQuery(signals, chosen.key, now - chosen.span, now)


def _signal(code: str) -> Signal:
    if not drawable(code):
        raise InvalidQueryError(
            gettext("The signal “%(code)s” can't be charted. Choose another signal.") % {"code": code[:100]}
        )
    return CATALOGUE[code]


def _times(since: str, until: str, *, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    end = _moment(until, zone) if until else now
    try:
        start = _moment(since, zone) if since else end - timedelta(days=1)
    except OverflowError:
        raise InvalidQueryError(gettext("The start is too far in the past. Choose a later date.")) from None
    if end - start < SHORTEST:
        raise InvalidQueryError(gettext("The start must be at least one minute before the end."))
    if end - start > LONGEST:
        raise InvalidQueryError(gettext("You can show up to ten years at a time."))
    return start, end


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """Parses a time from a form field or URL. An hour that occurs twice, when DST ends, means the first one."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidQueryError(
            gettext("“%(text)s” isn't a valid date and time. Use this format: 2026-11-28T14:00.")
            % {"text": text[:40]}
        ) from None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
