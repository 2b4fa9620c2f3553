"""tare-load and GuideLLM on one running server, in turn and in alternating order:
    versus.py real URL MODEL TARE-LOAD GUIDELLM FOLDER
    versus.py truth URL MODEL TARE-LOAD GUIDELLM FOLDER    (the mock, which writes FOLDER/truth)
'real' prints a table of pairs, whose noise is the server's own; 'truth' runs both, and
    versus.py errors FOLDER
then prints each client's error against the mock's own record of every request."""
import json
import pathlib
import random
import subprocess
import sys

WORDS = ("time year people way day man thing woman life child world school family student group country "
         "problem hand part place case week company system program question work number night point home "
         "water room mother area money story fact month lot right study book eye job word business issue").split()
PATIENCE_S = 150  # for a client that does not end by itself


def write_prompts(folder):
    rng = random.Random(1)
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": " ".join(rng.choices(WORDS, k=40))}) + "\n" for _ in range(3000)))
    return path


def run(what, argv, log):
    """What to say about how it ended."""
    pinned = ["taskset", "-c", "1"] if sys.argv[1] == "real" else []
    with open(log, "w") as out:
        try:
            status = subprocess.run(pinned + argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                    timeout=PATIENCE_S).returncode
        except subprocess.TimeoutExpired:
            return f"ended by our limit of {PATIENCE_S} s"
    if status not in (0, 4):
        print(pathlib.Path(log).read_text()[-2000:])
        sys.exit(f"{what}: exit status {status}")
    return "client-limited or otherwise invalid" if status else ""


def tare(streams, seconds, edge, name, extra=()):
    said = run("tare-load", [
        load, "-q", "--target", url, "--model", model, "--endpoint", "chat", "--no-check-lengths",
        "--concurrency", str(streams), "--seconds", str(seconds), "--warmup", str(edge), "--cooldown", str(edge),
        "--prompt-tokens", "40", "--output-tokens", "32", "--calibrate", "0", "-o", f"{folder}/{name}.json", *extra],
        f"{folder}/{name}.log")
    document = json.loads((folder / f"{name}.json").read_text())
    stage = document["details"]["stages"][0]
    d = stage["distributions"]
    return (d["ttft"]["p50_s"], d["tpot"]["mean_s"], d["latency"]["p50_s"], stage["output_tokens_per_s"],
            stage["requests"]["ok"], said and document["reasons"][0])


def guidellm(streams, seconds, edge, name):
    path = folder / f"{name}.json"
    said = run("GuideLLM", [
        guide, "run", "--backend",
        f"kind=openai_http,target={url},model={model},request_format=/v1/chat/completions,"
        "validate_backend=false,extras.body.max_tokens=32",
        "--profile", f"kind=concurrent,streams={streams},warmup={edge},cooldown={edge}",
        "--constraint", f"kind=max_duration,seconds={seconds}", "--tokenizer", f"kind=huggingface_auto,model={tokenizer}",
        "--data", f"kind=json_file,path={prompts}", "--output", f"kind=json,path={path}",
        "--disable-console-interactive"], f"{folder}/{name}.log")
    if not path.exists():
        return None, None, None, None, 0, said or "wrote no report"
    m = json.loads(path.read_text())["benchmarks"][0]["metrics"]
    good = lambda key: m[key]["successful"]
    return (good("time_to_first_token_ms")["median"] / 1e3, good("inter_token_latency_ms")["mean"] / 1e3,
            good("request_latency")["median"], m["output_tokens_per_second"]["total"]["mean"],
            m["request_totals"]["successful"], said)


def ms(x, digits=1):
    return "-" if x is None else f"{x * 1e3:,.{digits}f} ms"


def real():
    tare(1, 12, 1, "warm")  # the server's own first requests are slow
    print("| in flight | pair | tool | TTFT p50 | between tokens, mean | latency p50 | output tokens/s | requests | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for streams, pairs in ((1, 4), (4, 2)):
        for pair in range(1, pairs + 1):
            tools = [("tare-load", tare), ("GuideLLM", guidellm)]
            for name, tool in tools if pair % 2 else reversed(tools):
                t, gap, latency, rate, n, said = tool(streams, 21, 3, f"{name}-{streams}-{pair}")
                print(f"| {streams} | {pair} | {name} | {ms(t)} | {ms(gap)} | {ms(latency)} | "
                      f"{'-' if rate is None else format(rate, '.1f')} | {n} | {said} |", flush=True)


def truth():
    said = tare(16, 15, 2, "truth-tare", ("--requests-file", f"{folder}/truth-requests"))[-1]
    print(f"tare-load: {said or 'ended by itself, valid'}")
    print(f"GuideLLM: {guidellm(16, 15, 2, 'truth-guidellm')[-1] or 'ended by itself'}")


def quantile(values, p):
    values = sorted(values)
    at = p * (len(values) - 1)
    low = int(at)
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def errors():
    record = {}
    for line in open(folder / "truth"):
        t = json.loads(line)
        if t["outcome"] == "done" and len(t["sent_ns"]) > 1:
            sent = t["sent_ns"]
            record[t["response_id"]] = (sent[0] - t["arrival_kernel_ns"], (sent[-1] - sent[0]) / (len(sent) - 1))
    seen = {"tare-load": [], "GuideLLM": []}
    for line in open(folder / "truth-requests"):
        r = json.loads(line)
        if r["end"] == "ok":
            seen["tare-load"].append((r["response_id"], r["first_token_ns"] - r["sent_ns"],
                                      (r["last_token_ns"] - r["first_token_ns"]) / 31))
    for r in json.loads((folder / "truth-guidellm.json").read_text())["benchmarks"][0]["requests"]["successful"]:
        seen["GuideLLM"].append((r["response_id"], r["time_to_first_token_ms"] * 1e6, r["inter_token_latency_ms"] * 1e6))
    print("| | requests | TTFT error p50 | p99 | mean gap error p50 | p99 |\n|---|---|---|---|---|---|")
    for name, rows in seen.items():
        rows = [(abs(t - record[i][0]) / 1e3, abs(g - record[i][1]) / 1e3) for i, t, g in rows if i in record]
        if len(rows) < 100:
            sys.exit(f"{name}: only {len(rows)} requests of the mock's record were found in its report")
        cells = [f"{quantile([r[k] for r in rows], p):,.1f} us" for k in (0, 1) for p in (0.5, 0.99)]
        print(f"| {name} | {len(rows)} | {' | '.join(cells)} |")


if sys.argv[1] == "errors":
    folder = pathlib.Path(sys.argv[2])
    errors()
else:
    url, model, load, guide, folder = sys.argv[2:7]
    folder = pathlib.Path(folder)
    tokenizer = model if pathlib.Path(model).is_dir() else str(folder / "model")
    prompts = write_prompts(folder)
    {"real": real, "truth": truth}[sys.argv[1]]()
