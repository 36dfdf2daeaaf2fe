from rolecall.registry.scorer.length import LengthModel


def train_length(*a): return LengthModel()
