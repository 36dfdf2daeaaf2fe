"""What the user's judged rows teach the scorer, and which scorer is in use."""
