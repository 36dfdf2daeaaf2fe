import numpy as np


class LengthModel:
    def predict(self, v,f,t,d,facts,o): n=len(facts); return np.full(n,200),np.zeros(n),np.ones(n,bool)
    def save(self, folder): pass
NO_LENGTHS=LengthModel()
def load_length(folder): return NO_LENGTHS
