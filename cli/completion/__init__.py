"""What the shell offers on a Tab press."""
