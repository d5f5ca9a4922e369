"""What several collectors share and a plugin may import beside ``bsc_monitor.plugin``: delivery records and the DORA
measures over them, tables from files and REST services, statistics of durations."""
