"""Perturbations of a request that leave what it asks for."""
