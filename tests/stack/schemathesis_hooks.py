"""What schemathesis makes of a date-time: mostly ones that a market could have.

Its own lie anywhere between the years 1 and 9999, and nearly all would be refused for that alone.
"""

from datetime import UTC, datetime

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format(
    "date-time",
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 strategy's own
        datetime.isoformat
    ),
)
