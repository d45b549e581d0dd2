"""Draws faults, tries each and prints which tests noticed.

PYTHONPATH=scripts:tests/python python -m mutants --count 150 --seed 1
"""

import argparse
import gc
import json
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random

from mutants.faults import Fault, faults
from mutants.project import Project
from mutants.trial import Bench, Outcome
from warehouses import NAME

# Models that count files and records, and no figure of the company.
_BOOKKEEPING = ("/quality/", "/audit/")


def main() -> int:
    """Runs the tool."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=150, help="faults to draw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("data/mutants"))
    parser.add_argument("--model", help="draw in models whose path contains this")
    parser.add_argument("--all", action="store_true", help="run all data tests on each fault")
    options = parser.parse_args()
    project = Project(options.folder.absolute())
    work = options.folder.absolute() / "trial" / NAME
    work.parent.mkdir(exist_ok=True)
    shutil.copy(project.warehouse, work)
    results: list[tuple[str, Fault, Outcome]] = []
    with project.compiling():
        bench = Bench(project, work)
        bench.note_noise()
        print("fail or warn without a fault:", sorted(k for k, v in bench.noisy.items() if v))
        if bench.stale:
            changed = ", ".join(sorted(name.split(".")[-1] for name in bench.stale))
            print(f"changed since {options.folder} was built, left out: {changed}")
        gc.collect()
        gc.freeze()
        log = (options.folder / f"seed_{options.seed}.jsonl").open("w")
        for name, fault in drawn(bench, Random(options.seed), options.model or ""):
            if len(results) >= options.count:
                break
            code = project.manifest.nodes[name].raw_code
            start = time.process_time()
            outcome = bench.try_out(name, fault.apply(code), is_all=options.all)
            if not outcome.is_valid:
                continue
            results.append((name, fault, outcome))
            said = {
                "model": name.split(".")[-1],
                "kind": fault.kind,
                "change": fault.describe(code),
                "seconds": round(time.process_time() - start, 1),
                **asdict(outcome),
            }
            print(json.dumps(said), file=log, flush=True)
    report(project, results)
    return 0


def drawn(bench: Bench, random: Random, part: str) -> Iterator[tuple[str, Fault]]:
    """Faults without end: a model first, then a kind, then a place."""
    nodes = bench.project.manifest.nodes
    path = bench.project.path
    models = sorted(
        name
        for name in bench.order
        if part in path(name)
        and name not in bench.stale
        and not any(folder in path(name) for folder in _BOOKKEEPING)
    )
    while True:
        name = random.choice(models)
        kinds = defaultdict(list)
        for fault in faults(nodes[name].raw_code, bench.numeric(name)):
            kinds[fault.kind].append(fault)
        if kinds:
            yield name, random.choice(kinds[random.choice(sorted(kinds))])


def report(project: Project, results: list[tuple[str, Fault, Outcome]]) -> None:
    """Prints a line for each area and each kind of fault, and the survivors.

    Faults that change no mart are equivalent and left out of the shares: no test of the data can
    notice them. `unit` is how many of those a unit test notices all the same.
    """
    keys: dict[str, Callable[[str, Fault], str]] = {
        "area": lambda path, _: "/".join(path.split("/")[1:3]),
        "kind": lambda _, fault: fault.kind,
    }
    for title, key in keys.items():
        tally: dict[str, Counter[str]] = defaultdict(Counter)
        for name, fault, outcome in results:
            for row in (key(project.path(name), fault), "all"):
                tally[row].update(_counts(outcome))
        print(f"\n{title:<24} drawn equal  unit  data   dbt")
        for row, counts in sorted(tally.items()):
            total = counts["counted"] or 1
            print(
                f"{row:<24} {counts['drawn']:>5} {counts['equal']:>5} {counts['unit']:>5}"
                f" {counts['data'] / total:>5.0%} {counts['dbt'] / total:>5.0%}"
            )
    print("\nsurvived dbt's tests:")
    for name, fault, outcome in results:
        if _counts(outcome)["survived"]:
            code = project.manifest.nodes[name].raw_code
            warned = f" (warns: {outcome.warnings[0]})" if outcome.warnings else ""
            print(f"  {name.split('.')[-1]} [{fault.kind}] {fault.describe(code)}{warned}")


def _counts(outcome: Outcome) -> Counter[str]:
    is_equal = not outcome.marts
    counts = Counter(drawn=1, equal=int(is_equal))
    if is_equal:
        counts["unit"] += bool(outcome.unit_tests)
    else:
        counts["counted"] += 1
        counts["data"] += bool(outcome.data_tests)
        counts["dbt"] += bool(outcome.data_tests or outcome.unit_tests)
        counts["survived"] += not (outcome.data_tests or outcome.unit_tests)
    return counts


if __name__ == "__main__":
    sys.exit(main())
