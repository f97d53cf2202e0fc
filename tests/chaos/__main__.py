"""``python tests/chaos``: the campaign, by hand. ``make chaos CHAOS=full SEED=…`` runs it.

Prints the seed, every harm and a closing table; the exit code is 1 if anything did not end as docs/outcomes.md says.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import traceback

from campaign import scratch
from scenarios import SCENARIOS, Impossible, Record

LEAST_KILLS, LEAST_JOBS = 60, 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/chaos", description=__doc__)
    parser.add_argument("size", nargs="?", choices=["small", "full"], default=os.environ.get("CHAOS") or "small")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or random.randrange(10**6)))
    parser.add_argument("--only", action="append", choices=[*SCENARIOS], help="this scenario; may be repeated")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # also into a file
    began = time.monotonic()
    record = Record(arguments.seed, full=arguments.size == "full")
    repeat = f"make chaos CHAOS={arguments.size} SEED={arguments.seed}"
    print(f"seed {arguments.seed}; to repeat: {repeat}", flush=True)
    failed, impossible = dict[str, str](), dict[str, str]()
    chosen = arguments.only or [name for name, s in SCENARIOS.items() if record.full or s.small]
    for name in chosen:
        print(f"\n--- {name}", flush=True)
        with scratch() as folder:
            try:
                SCENARIOS[name].play(folder, record)
            except Impossible as e:
                impossible[name] = str(e)
                print(f"    not possible here: {e}")
            except Exception as e:
                traceback.print_exc(file=sys.stdout)
                failed[name] = str(e) or type(e).__name__
        sys.stdout.flush()
    kills = sum("killed" in harm for harm in record.harms)
    seconds = time.monotonic() - began
    did = f"{len(record.harms)} harms, {kills} of them kills; {record.jobs} jobs"
    print(f"\nseed {arguments.seed}, {seconds:.0f} s: {did}\n")
    for name in chosen:
        print_rows(name, record, failed.get(name), impossible.get(name))
    too_few = kills < LEAST_KILLS or record.jobs < LEAST_JOBS
    if record.full and not arguments.only and too_few:
        failed["size"] = f"a full campaign has {LEAST_KILLS} kills and {LEAST_JOBS} jobs at least"
    for name, why in failed.items():
        print(f"\nFAILED {name}: {why}\nto repeat: {repeat}")
    return 1 if failed else 0


def print_rows(scenario: str, record: Record, failed: str | None, impossible: str | None) -> None:
    for row, expected in SCENARIOS[scenario].rows.items():
        said = "as it should" if row in record.shown else f"not possible here: {impossible}"
        if failed is not None:
            said = f"{'shown, then ' if row in record.shown else ''}FAILED: {failed.splitlines()[0]}"
        print(f"{row:40}{expected:28}{said}")


if __name__ == "__main__":
    sys.exit(main())
