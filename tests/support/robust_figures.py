#!/usr/bin/env python3
# Prints the figures that tests/unit/test_robust.c, test_bootstrap.c and Wilson's interval in
# test_profile.c are held to. SciPy 1.15 to 1.17 and NumPy 2. Run once by hand.
import itertools
import numpy as np
from scipy import stats

x = np.array([0.31, -0.12, 0.05, 0.44, 0.28, 0.17, -0.03, 0.90])
walsh = np.sort([(x[i] + x[j]) / 2 for i in range(len(x)) for j in range(i, len(x))])
print("hodges-lehmann", repr(float(np.median(walsh))))
y = np.array([100.0, 101.2, 102.1, 102.9, 104.6, 105.1])
fit = stats.linregress(np.arange(6), np.log(y))
print("drift", repr(float(np.expm1(fit.slope))), repr(float(fit.pvalue)))

# Bootstrap over rounds by going through every resample: four rounds of 40 samples a side.
levels = [[1.00, 1.03, 0.98, 1.05], [1.10, 1.09, 1.13, 1.06]]
rounds = [[levels[s][r] * (1 + ((37 * np.arange(40) + 11 * r) % 41) / 41) ** 2 for r in range(4)] for s in range(2)]
draws = list(itertools.product(range(4), repeat=4))
for q in (0.5, 0.95):
    logs = [np.log([np.quantile(np.concatenate([rounds[s][r] for r in d]), q, method="inverted_cdf") for d in draws]) for s in range(2)]
    whole = [np.quantile(np.concatenate(rounds[s]), q, method="inverted_cdf") for s in range(2)]
    print("bootstrap", q, repr(float(whole[0])), repr(float(whole[1])), "paired", repr(float(np.std(logs[1] - logs[0]) * np.sqrt(4 / 3))),
          "unpaired", repr(float(np.hypot(np.std(logs[0]), np.std(logs[1])) * np.sqrt(4 / 3))))

# E-divisive: the statistic of Matteson and James written down as it stands, and its p value over every order.
def energy(x, y):
    d = lambda a, b: np.abs(np.subtract.outer(a, b)).sum()
    n, m = len(x), len(y)
    return n * m / (n + m) * (2 * d(x, y) / (n * m) - d(x, x) / (n * (n - 1)) - d(y, y) / (m * (m - 1)))
def best(x, least):
    return max((energy(x[:k], x[k:]), k) for k in range(least, len(x) - least + 1))
step = np.array([10.1, 9.7, 10.4, 9.9, 11.3, 10.9, 10.2, 11.6, 11.1, 10.8])
found = best(step, 5)
parts = [best(step[list(c) + [i for i in range(10) if i not in c]], 5)[0] for c in itertools.combinations(range(10), 5)]
print("E-divisive of ten", found, "p", np.mean(np.array(parts) >= found[0] - 1e-12), len(parts))
long = np.array([5.2, 4.9, 5.1, 5.4, 4.8, 5.0, 5.3, 6.1, 6.4, 5.9, 6.3, 6.0, 6.2, 6.5, 5.8])
print("E-divisive of fifteen: split at", best(long, 3)[1])

print("Wilson", *[[float(v) for v in stats.binomtest(k, n).proportion_ci(0.95, "wilson")] for k, n in ((81, 263), (0, 20), (20, 20), (1, 3))])
