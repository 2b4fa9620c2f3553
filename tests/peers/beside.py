"""tare-load, GuideLLM and 'vllm bench serve' in turn on one running server, each asking for
the same lengths at the same concurrency, and for greedy answers as tare-load does (to choose
at random costs a server time); the order is reversed in every other pass.
    beside.py URL MODEL-FOLDER FOLDER --concurrency 1,32 --passes 2 --lengths 512,256
        --seconds 15,3 [--tools tare-load,GuideLLM,vllm-bench]
MODEL-FOLDER has a vocabulary of words t0, t1, ... (make_shape.py). '--seconds' is a run's
length, and what is left out at its beginning and at its end. Prints a table; every tool's
own file stays in FOLDER. tare-load, guidellm and vllm are looked up in PATH."""
import argparse
import json
import pathlib
import random
import subprocess
import sys

PATIENCE_S = 180  # for a client that does not end by itself


def pair(text):
    return tuple(int(x) for x in text.split(","))


parser = argparse.ArgumentParser()
for name in ("url", "model", "folder"):
    parser.add_argument(name)
parser.add_argument("--concurrency", type=pair, required=True)
parser.add_argument("--passes", type=int, default=2)
parser.add_argument("--lengths", type=pair, required=True)
parser.add_argument("--seconds", type=pair, required=True)
parser.add_argument("--tools", default="tare-load,GuideLLM,vllm-bench")
wanted = parser.parse_args()
url, model, folder = wanted.url, wanted.model, pathlib.Path(wanted.folder)
PROMPT, OUTPUT = wanted.lengths
SECONDS, EDGE = wanted.seconds


def run(name, argv):
    """How it ended, in words, '' if well."""
    with open(folder / f"{name}.log", "w") as log:
        try:
            status = subprocess.run(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=PATIENCE_S).returncode
        except subprocess.TimeoutExpired:
            return f"ended by our limit of {PATIENCE_S} s"
    return "" if status == 0 else f"exit status {status}"


def tare(streams, seed, name, _):
    said = run(name, ["tare-load", "-q", "--target", url, "--model", model, "--concurrency", str(streams), "--seed", str(seed),
                      "--seconds", str(SECONDS), "--warmup", str(EDGE), "--cooldown", str(EDGE), "--prompt-tokens",
                      str(PROMPT), "--output-tokens", str(OUTPUT), "-o", f"{folder}/{name}.json"])
    document = json.loads((folder / f"{name}.json").read_text())
    stage = document["details"]["stages"][0]
    d = stage["distributions"]
    return (d["ttft"]["p50_s"], d["tpot"]["mean_s"], d["latency"]["p50_s"], stage["output_tokens_per_s"],
            stage["requests"]["ok"], said and f"{said}: {document['reasons'][:1]}")


def guidellm(streams, seed, name, _):
    rng, path = random.Random(seed), folder / f"{name}.json"
    prompts = folder / f"{name}.prompts.jsonl"  # words, since GuideLLM sends no token ids
    prompts.write_text("".join(json.dumps({"prompt": " ".join(f"t{rng.randrange(10000, 30000)}" for _ in range(PROMPT))})
                               + "\n" for _ in range(6000)))
    said = run(name, [
        "guidellm", "run", "--backend",
        f"kind=openai_http,target={url},model={model},request_format=/v1/completions,validate_backend=false,"
        f"extras.body.max_tokens={OUTPUT},extras.body.ignore_eos=true,extras.body.temperature=0",
        "--profile", f"kind=concurrent,streams={streams},warmup={EDGE},cooldown={EDGE}",
        "--constraint", f"kind=max_duration,seconds={SECONDS}", "--tokenizer", f"kind=huggingface_auto,model={model}",
        "--data", f"kind=json_file,path={prompts}", "--output", f"kind=json,path={path}",
        "--disable-console-interactive"])
    m = json.loads(path.read_text())["benchmarks"][0]["metrics"]
    good = lambda key: m[key]["successful"]
    return (good("time_to_first_token_ms")["median"] / 1e3, good("inter_token_latency_ms")["mean"] / 1e3,
            good("request_latency")["median"], m["output_tokens_per_second"]["total"]["mean"],
            m["request_totals"]["successful"], said)


def vllm(streams, seed, name, requests_per_s):
    """Counts requests, not seconds: as many as tare-load's last rate makes in the time."""
    count = max(2 * streams, round(requests_per_s * SECONDS))
    said = run(name, [
        "vllm", "bench", "serve", "--backend", "openai", "--base-url", url, "--model", model, "--dataset-name", "random",
        "--random-input-len", str(PROMPT), "--random-output-len", str(OUTPUT), "--ignore-eos", "--temperature", "0", "--seed", str(seed),
        "--num-prompts", str(count), "--max-concurrency", str(streams), "--percentile-metrics", "ttft,tpot,itl,e2el",
        "--disable-tqdm", "--save-result", "--save-detailed", "--result-filename", f"{folder}/{name}.json"])
    r = json.loads((folder / f"{name}.json").read_text())
    return (r["median_ttft_ms"] / 1e3, r["mean_tpot_ms"] / 1e3, r["median_e2el_ms"] / 1e3, r["output_throughput"],
            r["completed"], said)


def cell(x, scale=1, digits=1):
    return f"{x * scale:,.{digits}f}"


print("| in flight | pass | tool | TTFT p50, ms | time per output token, mean, ms | latency p50, ms | output tokens/s "
      "| requests | |\n|---|---|---|---|---|---|---|---|---|")
tools = [(title, tool) for title, tool in (("tare-load", tare), ("GuideLLM", guidellm), ("vllm-bench", vllm))
         if title in wanted.tools.split(",")]
tare(wanted.concurrency[0], 1, "warm", None)  # a server's first requests are slow
for streams in wanted.concurrency:
    rate = 1
    for turn in range(1, wanted.passes + 1):
        for title, tool in tools if turn % 2 else reversed(tools):
            name = f"{title}-{streams}-{turn}"
            try:
                t, gap, latency, tokens, n, said = tool(streams, 10 * turn + streams, name, rate)
                rate = tokens / OUTPUT if tool is tare else rate
                print(f"| {streams} | {turn} | {title} | {cell(t, 1e3)} | {cell(gap, 1e3, 3)} | {cell(latency, 1e3)} | "
                      f"{cell(tokens)} | {n} | {said} |", flush=True)
            except (OSError, KeyError, IndexError, TypeError, ValueError) as error:
                print(f"| {streams} | {turn} | {title} | | | | | | no figures: {error!r} |", flush=True)
                print((folder / f"{name}.log").read_text()[-1500:], file=sys.stderr)
