"""Runs the shell steps of the pipeline templates as the forges would, in a folder; `hil` is on the PATH."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import yaml

TEMPLATES = pathlib.Path(__file__).parent / "templates"
project = pathlib.Path(sys.argv[1])
FEW = "--path edge-poll/idle --path edge-poll/ack --path edge-poll/key"
BROKEN = FEW + " --defect polls-too-fast"
PARTS = 3


def shell(script, variables, flags="-e"):
    """Runs a step in the folder and says its exit code."""
    environment = {**os.environ, "UNIT": "sim:edge-poll", "SEED": "7", "PARTS": str(PARTS), **variables}
    done = subprocess.run(["bash", flags, "-c", script], cwd=project, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def hil(*arguments):
    done = subprocess.run(["hil", *arguments], cwd=project, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def expect(what, got, wanted):
    code, told = got
    assert code == wanted, f"{what}: exit code {code} instead of {wanted}\n{told}"
    print(f"{what}: exit code {code}")
    return told


def clear():
    for name in ["parts", "out", "baseline", "fetched", "note.md"]:
        path = project / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def github(options, missing=None, baseline=None):
    """The exit code of the gate, and what it and the parts told."""
    workflow = yaml.safe_load((TEMPLATES / "github-actions.yml").read_text())
    steps = {step["name"]: step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step}
    clear()
    summary, output = project / "summary.txt", project / "output.txt"
    variables = {"HIL_OPTIONS": options, "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    output.write_text("")
    told = ""
    for part in range(1, PARTS + 1):
        if part != missing:
            told += expect("a part", shell(steps["Run a part"], {**variables, "PART": str(part)}), 0)
    expect("join", shell(steps["Join the parts"], variables), 0)
    if baseline:
        shutil.copytree(baseline, project / "baseline")
    variables["RUN_CODE"] = output.read_text().strip().removeprefix("code=")
    code, note = shell(steps["Gate"], variables)
    assert "## " in summary.read_text() and (project / "note.md").read_text().startswith("## ")
    return (code, note), told


def gitlab(options, baseline=None):
    """The same for GitLab; what is fetched comes from a folder."""
    pipeline = yaml.safe_load((TEMPLATES / "gitlab-ci.yml").read_text())
    clear()
    fetch = "curl() { [ -n \"$BASELINE\" ] && cp \"$BASELINE/report.json\" fetched/report.json; }\n"
    variables = {"HIL_OPTIONS": options, "CI_NODE_TOTAL": str(PARTS), "BASELINE": str(baseline or ""),
                 "CI_API_V4_URL": "", "CI_PROJECT_ID": "", "CI_JOB_TOKEN": "", "BASELINE_REF": "main"}
    for part in range(1, PARTS + 1):
        script = "\n".join(pipeline["hil:part"]["script"])
        expect("a part", shell(script, {**variables, "CI_NODE_INDEX": str(part)}, "-e"), 0)
    issues = "\n".join(pipeline["hil:gate"]["script"])
    got = shell(fetch + issues, variables)
    for issue in json.loads((project / "out/code-quality.json").read_text()):
        assert issue["fingerprint"] and issue["location"]["lines"]["begin"] >= 1, issue
    return got


expect("everything on one machine", hil("run", "--unit", "sim:edge-poll", "--seed", "7", *FEW.split(), "--report", "whole"), 0)
gate, _ = github(FEW)
expect("GitHub, no baseline, all pass", gate, 0)
digests = [hil("judge", "--digest", name) for name in ["whole", "out"]]
assert digests[0] == digests[1], f"the parts come to something else than the whole: {digests}"
shutil.copytree(project / "out", project / "released")
gate, told = github(BROKEN, baseline=project / "released")
expect("GitHub, worse than the baseline", gate, 10)
assert "::error " in told, told
shutil.copytree(project / "out", project / "broken")
expect("GitHub, no worse than the baseline", github(FEW, baseline=project / "released")[0], 0)
expect("GitHub, failing as the baseline does", github(BROKEN, baseline=project / "broken")[0], 0)
expect("GitHub, no baseline, something fails", github(BROKEN)[0], 4)
expect("GitHub, a machine is missing", github(FEW, missing=2, baseline=project / "released")[0], 12)
expect("GitLab, no baseline, all pass", gitlab(FEW), 0)
expect("GitLab, worse than the baseline", gitlab(BROKEN, baseline=project / "released"), 10)
assert json.loads((project / "out/code-quality.json").read_text()), "no issue at what did not pass"
expect("GitLab, no worse than the baseline", gitlab(FEW, baseline=project / "released"), 0)
expect("GitLab, no baseline, something fails", gitlab(BROKEN), 4)
