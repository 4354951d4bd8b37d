"""Whether monitoring itself is alive: captures that come, in time, as they always did."""
