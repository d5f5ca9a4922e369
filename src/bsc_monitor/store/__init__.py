"""The store: what must survive a restart."""

from bsc_monitor.store.engines import StoreError, is_away
from bsc_monitor.store.lease import Taken
from bsc_monitor.store.open import Store, is_led, read_only

__all__ = ["Store", "StoreError", "Taken", "is_away", "is_led", "read_only"]
