#!/usr/bin/env python3
# Figures for tests/unit/test_autocorrelation.c and test_trend.c from NumPy and SciPy: variances by the whole correlation
# matrix instead of closed forms, the t interval of two means that remember.
import numpy as np
from scipy import stats

def matrix(n, lag1):
    at = np.arange(n)
    return lag1 ** np.abs(np.subtract.outer(at, at))

for lag1, n, m in ((0.5, 1, 1), (0.5, 6, 4), (0.9, 30, 5), (0.25, 40, 12)):
    c = matrix(n + m, lag1)
    a, b = np.r_[np.ones(n) / n, np.zeros(m)], np.r_[np.zeros(n), np.ones(m) / m]
    print("lag1", lag1, n, m, "variance", repr(float(a @ c @ a)), "covariance", repr(float(a @ c @ b)))

def lag1_of(x, ends):
    x, levels, n = np.asarray(x, float), np.split(x, ends[:-1]), len(x)
    off = [v - v.mean() for v in levels]
    r = sum((o[1:] * o[:-1]).sum() for o in off) / sum((o * o).sum() for o in off)
    return (r + len(off) / n) / (1 - 4 * len(off) / n)

swings = [100.5, 100.3, 100.3, 100.1, 100.3, 100.0, 99.6, 99.7, 100.0, 99.4, 99.9, 99.9,
          100.3, 100.1, 100.5, 100.4, 100.5, 100.0, 99.7, 99.9, 99.7, 100.2, 100.0, 100.2]
print("lag1 of 24", repr(float(lag1_of(np.array(swings), [24]))), "in two levels", repr(float(lag1_of(np.array(swings), [12, 24]))))

# The last two, and the last six, of the 24 against those before: interval of the ratio.
lag1 = lag1_of(np.array(swings), [24])
logs = np.log(swings)
for n in (2, 6):
    a, b = logs[:-n], logs[-n:]
    c = matrix(24, lag1)
    wa, wb = np.r_[np.ones(24 - n) / (24 - n), np.zeros(n)], np.r_[np.zeros(24 - n), np.ones(n) / n]
    spread = lambda v: v.var(ddof=1) * (len(v) - 1) / len(v) / (1 - (matrix(len(v), lag1).sum() / len(v) ** 2))
    sa, sb = spread(a), spread(b) if n >= 5 else spread(a)
    va, vb = sa * (wa @ c @ wa), sb * (wb @ c @ wb)
    error = np.sqrt(va + vb - 2 * np.sqrt(sa * sb) * (wa @ c @ wb))
    free = lambda v: (len(v) - 1) * (1 - lag1**2) / (1 + lag1**2)
    df = (va + vb) ** 2 / (va**2 / free(a) + vb**2 / free(b)) if n >= 5 else free(a)
    mean = b.mean() - a.mean()
    print("newest", n, *[[repr(float(np.exp(mean + s * stats.t.ppf(p, df) * error))) for s in (-1, 1)] for p in (0.95, 0.975)])

# Two levels without memory: Welch by SciPy.
one = [100.2, 99.8, 100.5, 99.9, 100.1, 100.4, 99.6, 100.0]
two = [98.9, 98.1, 98.6, 98.8, 98.3, 98.5]
r = stats.ttest_ind(np.log(two), np.log(one), equal_var=False)
for level in (0.90, 0.95, 0.975):
    i = r.confidence_interval(level)
    print("levels", level, repr(float(np.exp(i.low))), repr(float(np.exp(i.high))))
