"""What extraction from paths costs: two workers against one, and memory against the number of clips.

    python examples/benchmarks/extraction.py [--repeats 5]

Medians within one run, over all of EMO-DB; "at first" is the first call with two workers, which starts them where they
are processes. "Possible" is what two processes gained over one in the same run at counting, on this machine. Memory (on
Linux) is what one process takes at most above what it held before, less the result, for a tenth of the clips and for
four times all of them (each measured in a process of its own).
"""

import argparse
import multiprocessing
import resource
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from sklearn_ser import HandcraftedFeatures, MelSpectrogramTransformer, fetch_emodb


def seconds(function, repeats):
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def count(n):
    """Work that needs nothing but a processor."""
    for _ in range(n):
        pass


def ceiling():
    """What two processes gain over one where nothing is shared: no more can be expected of two threads."""
    times = []
    for n_processes in (1, 2):
        processes = [
            multiprocessing.Process(target=count, args=(20_000_000 // n_processes,)) for _ in range(n_processes)
        ]
        started = time.perf_counter()
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        times.append(time.perf_counter() - started)
    return times[0] / times[1]


def working_memory(transformer_name, fraction):
    """MB above the result, measured in this process."""
    transformer = {"mel": MelSpectrogramTransformer(), "handcrafted": HandcraftedFeatures()}[transformer_name]
    paths = list(fetch_emodb(download_if_missing=False).data["path"])
    paths = sorted(paths * 4 if fraction == "all" else paths[: len(paths) // 10])
    transformer.fit_transform(paths[:5])
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    result = transformer.fit_transform(paths)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    most = int(status["VmHWM"].split()[0]) * 1024
    return (most - before - result.nbytes) / 2**20, len(paths)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", nargs=2, metavar=("TRANSFORMER", "FRACTION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(*working_memory(*options.memory))
        return
    paths = list(fetch_emodb(download_if_missing=False).data["path"])
    print(
        f"{'':14s} {'one, s':>8s} {'two, s':>8s} {'at first':>9s} {'speed-up':>9s} {'possible':>9s}   memory above the "
        "result, MB"
    )
    for name, transformer in {"mel": MelSpectrogramTransformer(), "handcrafted": HandcraftedFeatures()}.items():
        one, two = type(transformer)(n_jobs=1), type(transformer)(n_jobs=2)
        one.fit_transform(paths[:10])
        at_first = seconds(partial(two.fit_transform, paths), 1)
        # In turn, so that whatever else the machine does falls on both.
        pairs = [
            (seconds(partial(one.fit_transform, paths), 1), seconds(partial(two.fit_transform, paths), 1))
            for _ in range(options.repeats)
        ]
        first, second = (statistics.median(times) for times in zip(*pairs, strict=True))
        possible = statistics.median(ceiling() for _ in range(options.repeats))
        memory = []
        for fraction in ("tenth", "all"):
            command = [sys.executable, __file__, "--memory", name, fraction]
            taken, n_clips = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            memory.append(f"{float(taken):.1f} for {n_clips} clips")
        print(
            f"{name:14s} {first:8.2f} {second:8.2f} {at_first:9.2f} {first / second:9.2f} {possible:9.2f}   "
            f"{', '.join(memory)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
