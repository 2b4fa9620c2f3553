#!/usr/bin/env python3
# Prints the figures that tests/unit/test_stats.c and test_sequential.c are held to.
# SciPy 1.15 to 1.17 and NumPy 2; run once by hand: pip install scipy numpy; no test needs Python.
import numpy as np
from scipy import stats

print("/* t cdf: t, df, p */")
for t, df in [(0, 1), (1, 1), (-1, 1), (2.5, 3), (-4, 2), (12.7, 1), (0.3, 200), (-6, 11), (30, 5), (1e-4, 7.3)]:
    print("{ %r, %r, %.17g }," % (t, df, stats.t.cdf(t, df)))
print("/* t quantile: p, df, t */")
for p, df in [(0.95, 1), (0.975, 1), (0.95, 2), (0.975, 2), (0.975, 5), (0.95, 6.5), (0.025, 9), (0.9995, 3), (0.6, 30), (0.975, 1000), (1e-6, 4)]:
    print("{ %r, %r, %.17g }," % (p, df, stats.t.ppf(p, df)))
print("/* normal quantile: p, z */")
for p in [0.5, 0.95, 0.975, 0.025, 0.999, 1e-10]:
    print("{ %r, %.17g }," % (p, stats.norm.ppf(p)))
print("/* binomial cdf: k, n, p, P */")
for k, n, p in [(0, 10, 0.5), (3, 10, 0.5), (9, 10, 0.9), (655, 662, 0.99), (40, 100, 0.5)]:
    print("{ %r, %r, %r, %.17g }," % (k, n, p, stats.binom.cdf(k, n, p)))
a = np.array([101.2, 99.7, 100.4, 100.9, 99.5, 100.1])
b = np.array([100.1, 99.2, 99.8, 99.9, 98.6, 99.7])
c = np.array([98.1, 97.4, 98.8, 99.0])
d = np.log(b / a)
def ci(mean, se, df, level):
    t = stats.t.ppf(0.5 + level / 2, df)
    return tuple(np.exp([mean - t * se, mean + t * se]))
se = d.std(ddof=1) / np.sqrt(len(d))
print("/* paired: mean, error, 90 %, 95 %, tost p at 2 % */")
lo = np.log(1 - 0.02)
p = max(1 - stats.t.cdf((d.mean() - lo) / se, 5), stats.t.cdf((d.mean() + lo) / se, 5))
print("%.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g" % (d.mean(), se, *ci(d.mean(), se, 5, 0.90), *ci(d.mean(), se, 5, 0.95), p))
la, lc = np.log(a), np.log(c)
w = stats.ttest_ind(lc, la, equal_var=False)
i90, i95 = w.confidence_interval(0.90), w.confidence_interval(0.95)
print("/* unpaired: mean, error, df, 90 %, 95 % */")
m = lc.mean() - la.mean()
print("%.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g" % (m, m / w.statistic, w.df, *np.exp(i90), *np.exp(i95)))
print("/* mean, sd, median, MAD * 1.4826 of a */")
print("%.17g, %.17g, %.17g, %.17g" % (a.mean(), a.std(ddof=1), np.median(a), 1.4826 * stats.median_abs_deviation(a)))
big = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
print("/* sd at a large offset */ %.17g" % big.std(ddof=1))
print("/* quantile, definition 1, of i^2 mod 1009 for i in 1..1000: p50 p95 p99 */")
x = np.array([i * i % 1009 for i in range(1, 1001)], dtype=float)
print(*[np.quantile(x, q, method="inverted_cdf") for q in (0.5, 0.95, 0.99)])
print("/* levels of the looks at 3, 4, 5 and 6 rounds, one-sided 0.025: simulated, the second also integrated */")
from scipy import integrate, optimize
n = np.arange(3, 7)
spent = 0.875 * 0.025 * (n / 6) ** 5
rng, paths = np.random.default_rng(20261122), 40_000_000
s, q, alive, before, levels = np.zeros(paths), np.zeros(paths), np.ones(paths, bool), 0.0, []
for k in range(1, 7):
    x = rng.standard_normal(paths)
    s += x
    q += x * x
    if k < 3:
        continue
    t = s / k / np.sqrt((q - s * s / k) / (k - 1) / k)
    cut = np.sort(t[alive])[-round((spent[k - 3] - before) * paths)]
    alive &= t < cut
    before = spent[k - 3]
    levels.append(stats.t.sf(cut, k - 1))
print(*["%.7f" % level for level in levels])
# T = sum / root of the sum of squares: next T = (T + u) / sqrt(1 + u^2), u sqrt(3) of t with 3 degrees
as_sum = lambda t, k: t * np.sqrt(k / (k - 1 + t * t))
def crossing(c):
    def given(t):
        root = 1 + t * t - c * c
        if root <= 0 or t <= 0: return 0.0
        ends = sorted([(t - np.sqrt(max(0, c * c * root))) / (c * c - 1), (t + np.sqrt(c * c * root)) / (c * c - 1)])
        return stats.t.cdf(ends[1] * np.sqrt(3), 3) - stats.t.cdf(ends[0] * np.sqrt(3), 3)
    top = stats.t.isf(spent[0], 2)
    return integrate.quad(lambda z: given(as_sum(z, 3)) * stats.t.pdf(z, 2), -10, top, limit=400)[0]
c4 = optimize.brentq(lambda c: crossing(c) - (spent[1] - spent[0]), 1.2, 1.99, xtol=1e-9)
print("%.7f, %.7f" % (spent[0], stats.t.sf(c4 * np.sqrt(3 / (4 - c4 * c4)), 3)))
