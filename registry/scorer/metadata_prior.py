"""placeholder"""
from __future__ import annotations
import numpy as np
class MetadataPrior:
    def __init__(self, mean, cov): self.mean=np.array(mean); self.cov=np.array(cov)
    def predict(self, facts): return np.repeat(self.mean[None],len(facts),0), np.repeat(self.cov[None],len(facts),0)
    def basis(self, facts): return "facts"
    def to_dict(self): return {"mean":self.mean.tolist(),"cov":self.cov.tolist()}
    @classmethod
    def from_dict(cls,d): return cls(d["mean"],d["cov"])
