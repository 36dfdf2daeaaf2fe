"""Record what happened, add it up, show and export it."""
