"""The store: what must survive a restart."""

from bsc_monitor.store.engines import StoreError
from bsc_monitor.store.lease import Taken
from bsc_monitor.store.open import Store, read_only

__all__ = ["Store", "StoreError", "Taken", "read_only"]
