#!/usr/bin/env python3
# Reads a folder of reports as their consumers do; exits with a sentence on a fault.
import csv
import json
import re
import sys

place = sys.argv[1]


def read(name):
    return open(f"{place}/{name}", encoding="utf-8", newline="").read()


def need(condition, what):
    if not condition:
        sys.exit(what)


# Prometheus text exposition format 0.0.4, as its documentation gives the grammar.
name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
sample = re.compile(rf"{name}(\{{{label}(,{label})*,?\}})? [-+0-9.eE]+$")
typed = set()
for line in read("metrics.prom").split("\n"):
    if line.startswith("# TYPE "):
        need(line.split()[2] not in typed, f"prometheus: a family twice: {line}")
        typed.add(line.split()[2])
    elif line and not line.startswith("# HELP "):
        need(sample.match(line), f"prometheus: {line}")
        need(re.match(name, line).group() in typed, f"prometheus: no TYPE: {line}")
need(read("metrics.prom").endswith("\n"), "prometheus: no line end at the end")

# CTRF 0.0.0: required members, integers, the five states, sums that add up.
report = json.loads(read("ctrf.json"))
need(report["reportFormat"] == "CTRF", "ctrf: reportFormat")
need(re.fullmatch(r"\d+\.\d+\.\d+", report["specVersion"]), "ctrf: specVersion")
need(set(report) <= {"reportFormat", "specVersion", "generatedBy", "results"}, "ctrf: keys")
results = report["results"]
need(results["tool"]["name"], "ctrf: tool")
summary = results["summary"]
states = ("passed", "failed", "skipped", "pending", "other")
need(all(isinstance(summary[k], int) for k in (*states, "tests", "start", "stop")), "ctrf: summary")
need(sum(summary[k] for k in states) == summary["tests"] == len(results["tests"]), "ctrf: sums")
for test in results["tests"]:
    need(test["name"] and test["status"] in states and isinstance(test["duration"], int), "ctrf: test")
    need(isinstance(test["suite"], list) and test["suite"], "ctrf: suite")

# Two findings of one name would be one to whoever reads them.
tests = [(*test["suite"], test["name"]) for test in results["tests"]]
need(len(set(tests)) == len(tests), "ctrf: two tests of one name")
prints = [item["fingerprint"] for item in json.loads(read("gl-code-quality.json"))]
need(len(set(prints)) == len(prints), "gitlab: two findings of one fingerprint")

# GitLab's code quality: the members that its widget reads.
for item in json.loads(read("gl-code-quality.json")):
    need(item["description"] and item["check_name"] and len(item["fingerprint"]) == 64, "gitlab")
    need(item["severity"] in ("info", "minor", "major", "critical", "blocker"), "gitlab: severity")
    need(item["location"]["path"] and item["location"]["lines"]["begin"] >= 1, "gitlab: location")

# GitHub's workflow commands: one a line, nothing that ends one early.
for line in read("github-annotations.txt").splitlines():
    need(re.fullmatch(r"::(error|warning|notice) title=[^\r\n:,]+::.+", line), line)

rows = list(csv.DictReader(read("report.csv").splitlines(keepends=True)))
verdict = json.loads(read("verdict.json"))
need(len(rows) == len(verdict["comparisons"]), "csv: rows")
for row, item in zip(rows, verdict["comparisons"]):
    need(row["metric"] == item["metric"] and row["verdict"] == (item["verdict"] or ""), "csv: row")
    need(not item["ratio"] or float(row["ratio"]) == item["ratio"], "csv: a ratio lost digits")
need(json.loads(read("report.json"))["verdict"]["verdict"] == verdict["verdict"], "report.json")
