"""The store: what must survive a restart."""
