#!/usr/bin/env python3
# Prints the figures that tests/unit/test_tails.c, test_memory.c and test_proportions.c are
# held to, by plain Python: exact fractions, whole matrices, integrals by Simpson's rule.
import math
from fractions import Fraction

def t_tail(t, df, steps=20000):
    # Over the angle: t = sqrt(df) tan(a), density ~ cos(a)^(df - 1).
    a, b = math.atan(t / math.sqrt(df)), math.pi / 2
    def simpson(lo, hi):
        h = (hi - lo) / steps
        f = lambda x: math.cos(x) ** (df - 1)
        return h / 3 * sum((1 if i in (0, steps) else 4 if i % 2 else 2) * f(lo + i * h) for i in range(steps + 1))
    return simpson(a, b) / simpson(-b, b)
def bisect(f, lo, hi):
    for _ in range(60):
        mid = (lo + hi) / 2
        lo, hi = (mid, hi) if f(mid) else (lo, mid)
    return (lo + hi) / 2
def t_quantile(level, df):
    return bisect(lambda t: t_tail(t, df) > level, 0, 50)
def clopper_pearson(k, n, level):
    cdf = lambda p: sum(math.comb(n, i) * p**i * (1 - p)**(n - i) for i in range(k + 1))
    return bisect(lambda p: cdf(p) > level, k / n, 1)

print("share at most, 1 of 30 at 0.05:", repr(clopper_pearson(1, 30, 0.05)))
def halves(x, apart, level):
    n = len(x); m = sum(x) / n; s = math.sqrt(sum((v - m)**2 for v in x) / (n - 1))
    g = sum(((v - m) / s)**3 for v in x) / n
    q = t_quantile(level, n - 1)
    weight = 1.5 if n >= 8 else 1
    skewed = lambda sign: q * s / math.sqrt(n) + (weight * sign * g * s / (6 * n) * (1 + 2 * q * q) if sign * g > 0 else 0)
    out = {"plain": q * s / math.sqrt(n), "skew": g, "below": skewed(-1), "above": skewed(1)}
    if apart:
        rest = [v for i, v in enumerate(x) if i not in apart]; r = len(rest)
        rm = sum(rest) / r; re = math.sqrt(sum((v - rm)**2 for v in rest) / (r - 1) / r)
        sev = sum(math.exp(rm - x[i]) - 1 for i in apart) / len(apart)
        at = math.log(1 + len(apart) / n * sev); end = math.log(1 + clopper_pearson(len(apart), n, level) * sev)
        out["apart below"] = m - rm + at + math.hypot(t_quantile(level, r - 1) * re, end - at)
        out["severity"] = sev
    return out
seven = [0.01, -0.03, 0.02, -0.11, 0.015, 0.0, 0.005]
print("seven", halves(seven, [], 0.05))
eight = seven + [0.012]
print("eight", halves(eight, [], 0.05))
twenty = [((7 * i) % 19 - 9) / 1000 for i in range(20)]; twenty[4] = -0.25; twenty[13] = -0.27
print("twenty", halves(twenty, [4, 13], 0.05))

def memory(n, rho):
    R = [[rho ** abs(i - k) for k in range(n)] for i in range(n)]
    Q = [[(1 if i == k else 0) - 1 / n for k in range(n)] for i in range(n)]
    mul = lambda A, B: [[sum(A[i][j] * B[j][k] for j in range(n)) for k in range(n)] for i in range(n)]
    A = mul(mul(Q, R), Q); tr = sum(A[i][i] for i in range(n)); sq = sum(mul(A, A)[i][i] for i in range(n))
    var_mean = sum(map(sum, R)) / n**2
    return math.sqrt((n - 1) * var_mean / tr), tr * tr / sq    # error over sd, df
for n, rho in ((6, 0.5), (6, 0.3), (20, 0.8)):
    print("memory", n, rho, memory(n, rho))
x = [0.3, 0.2, -0.1, 0.1, -0.3, -0.25, 0.15, 0.2]
m = sum(x) / 8; r = sum((x[i] - m) * (x[i - 1] - m) for i in range(1, 8)) / sum((v - m)**2 for v in x)
z = (r + 1 / 8) / math.sqrt((8 - 2)**2 / (8**2 * (8 - 1)))
print("seen", (8 * r + 1) / 4, "p", 0.5 * math.erfc(z / math.sqrt(2)))

def exact_p(kb, nb, kc, nc, margin=Fraction(0), grid=200):
    def q(i, j):
        s = lambda k, n: (k + 0.5) / (n + 1)
        v = lambda k, n: s(k, n) * (1 - s(k, n)) / n
        return (j / nc - i / nb - float(margin)) / math.sqrt(v(i, nb) + v(j, nc))
    seen = q(kb, kc) - 1e-9
    tables = [(i, j) for i in range(nb + 1) for j in range(nc + 1) if q(i, j) >= seen]
    most = 0
    for g in range(grid + 1):
        p = (1 - margin) * Fraction(g, grid); c = p + margin
        most = max(most, sum(math.comb(nb, i) * p**i * (1 - p)**(nb - i) * math.comb(nc, j) * c**j * (1 - c)**(nc - j) for i, j in tables))
    return float(most)
for case in ((0, 6, 4, 6), (0, 6, 1, 6), (0, 9, 6, 9), (2, 5, 4, 7), (0, 3, 3, 3)):
    print("exact p", case, repr(exact_p(*case)))
print("exact p with a margin of 1/5", repr(exact_p(0, 6, 4, 6, Fraction(1, 5))))
print("of many", repr(float(sum(Fraction(math.comb(9, i), 2**9) for i in range(8, 10)))))
