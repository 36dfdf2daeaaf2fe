"""What may be done, and for how much: strategies, layers, budgets."""
