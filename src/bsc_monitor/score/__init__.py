"""Values become scores, scores become scorecards. Pure: no I/O and no clock; ``now`` is a parameter."""
