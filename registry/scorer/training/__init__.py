"""The only room with torch: makes the artifact that the scorer runs."""
