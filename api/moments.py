"""Wall time as clients get it."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(utc_us: int | None) -> str | None:
    """RFC 3339, UTC; null before the line's clock was agreed."""
    return None if utc_us is None else (_EPOCH + timedelta(microseconds=utc_us)).isoformat()
