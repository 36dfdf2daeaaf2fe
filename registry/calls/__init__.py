"""Call the chosen endpoint, fall back, check, record; probe endpoints."""
