"""What a person reads: tables, figures, JSON."""
