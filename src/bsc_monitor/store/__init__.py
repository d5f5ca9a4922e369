"""The store: what must survive a restart."""

from bsc_monitor.store.open import Store, StoreError

__all__ = ["Store", "StoreError"]
