"""Runs scenarios with faults on simulated units in virtual time and on processes over TCP, and compares them."""

import collections
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

# A scenario is compared if it takes no longer than this in virtual time, so that all of them end in time over TCP.
LONGEST = 9.0
# Seconds one run may take.
LIMIT = 90
JOBS = "12"
# How often, and how many at a time, those that differ are tried again.
ATTEMPTS = 2
FEW_JOBS = "2"
SEED = "7"
# Families of faults that must be among those compared.
FAMILIES = {"net", "cloud", "tls", "artifact", "unit", "line"}

HTTP = "127.0.0.1:0"
UNITS = {
    "edge-poll": """
timing: {poll_interval: 1s, boot: 200ms, verify: 100ms, install: 300ms, health_check: 500ms}
facts: {services: [edge-agent, telemetry, gateway], own_service: edge-agent, snap_name: edge-agent}
""",
    "device-command": """
timing: {poll_interval: 1s, boot: 200ms, verify: 100ms, install: 300ms}
""",
    "aos-v7": """
timing: {ack_timeout: 1s, reconnect_delay: 200ms, status_delay: 500ms, boot: 200ms, monitoring_period: 3s}
""",
    "sota": f"""
timing: {{poll_interval: 1s, boot: 200ms, install: 300ms}}
faces: {{sota-http: "{HTTP}", sota-websocket: "{HTTP}"}}
prepare: {{polling: true, polling_sec: 1, auth: true, auto_download: true, package_manager: false, system_info: true}}
""",
    "ota-rpc": f"""
timing: {{boot: 200ms}}
faces: {{rpc-http: "{HTTP}", rpc-websocket: "{HTTP}", rpc-serial: "{{state_dir}}/line"}}
""",
}


def main(hil):
    with tempfile.TemporaryDirectory() as work:
        compared, differences = [], []
        for protocol, said in UNITS.items():
            folder = pathlib.Path(work) / protocol
            folder.mkdir()
            more = compare(hil, folder, protocol, said, differences)
            print(f"{protocol}: {len(more)} scenarios with faults compared", flush=True)
            compared += more
    families = collections.Counter(name.split(".")[0] for _, acts in compared for name in acts)
    print("faults that acted on both, by family:", dict(sorted(families.items())))
    for line in differences:
        print(line)
    missing = FAMILIES - set(families)
    if missing:
        print("no fault compared of", ", ".join(sorted(missing)))
    return 1 if differences or missing or not compared else 0


def compare(hil, folder, protocol, said, differences):
    unit = f"name: parity\nprotocol: {protocol}\n{said}"
    simulated = folder / "sim.yaml"
    simulated.write_text(virtual(unit) + "driver: sim\n")
    process = folder / "process.yaml"
    command = json.dumps([hil, "simulate", protocol, "--state", "{state_dir}/unit"])
    process.write_text(
        f'{unit}driver: process\ncommand: {command}\nready: {{console: "ready", timeout: 30s}}\n'
    )
    here = run(hil, simulated, folder / "sim", ["--protocol", protocol])
    chosen = sorted(
        name
        for name, instance in here.items()
        if instance["faults"] and not instance["skipped"] and instance["duration"] <= LONGEST
    )
    paths = [word for name in chosen for word in ("--path", name)]
    there = run(hil, process, folder / "process", paths)
    # A scenario that differs may have met a busy machine: what differs every time, with little beside it, differs.
    for attempt in range(ATTEMPTS):
        doubtful = [name for name in chosen if differs(here[name], there.get(name))]
        if not doubtful:
            break
        paths = [word for name in doubtful for word in ("--path", name)]
        again = run(hil, process, folder / f"again-{attempt}", paths, FEW_JOBS)
        there.update({name: again[name] for name in doubtful if name in again})
    compared = []
    for name in chosen:
        if name not in there or there[name]["skipped"]:
            continue
        difference = differs(here[name], there[name])
        if difference:
            differences.append(f"{name}: {difference}")
        compared.append((name, {fault for phase, fault, _ in here[name]["faults"] if phase == "acted"}))
    return compared


def virtual(unit):
    """The unit file without what only processes have."""
    return "".join(
        f"{line}\n" for line in unit.splitlines() if not line.startswith(("faces:", "prepare:"))
    )


def run(hil, unit, folder, options, jobs=JOBS):
    """The instances of a run by the paths of their scenarios."""
    command = [hil, "run", "--unit", unit, "--tier", "quick", "--seed", SEED, "-j", jobs, "--report", folder]
    told = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*map(str, command), *options], **told) as process:
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            # What has not ended by now is reported as interrupted: a difference.
            process.send_signal(signal.SIGINT)
    report = json.loads((folder / "report.json").read_text())
    faults = faults_of(folder / "journal.jsonl")
    instances = {}
    for instance in report["instances"]:
        name = instance["header"]["instance"]
        path = name.split("@")[0]
        instances[path] = {
            "verdict": instance["verdict"],
            "skipped": instance["skipped"],
            "duration": instance["duration"],
            "faults": faults.get(name, []),
        }
    return instances


def faults_of(journal):
    """Phase, name and what it acted on of every fault, in their order, by instance."""
    faults = collections.defaultdict(list)
    for line in journal.open():
        entry = json.loads(line).get("record")
        fault = entry and entry["record"]["what"].get("fault")
        if fault:
            faults[entry["instance"]].append((fault["phase"], fault["name"], fault["facts"].get("on")))
    return faults


def differs(here, there):
    """What is not the same; nothing where one of them was not exercised."""
    if there is None or there["skipped"]:
        return None
    if here["verdict"] != there["verdict"]:
        return f"{here['verdict']} in virtual time, {there['verdict']} over TCP"
    if told(here["faults"]) != told(there["faults"]):
        return f"in virtual time {told(here['faults'])}, over TCP {told(there['faults'])}"
    return None


def told(faults):
    """The faults in their order; a fault that acts again and again acts once, as how often depends on the time."""
    shown = []
    for fault in faults:
        if not shown or shown[-1] != fault:
            shown.append(fault)
    return [" ".join(word for word in fault if word) for fault in shown]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
