"""Step: the fence that lets one execution of a run pass, before any side effect."""
