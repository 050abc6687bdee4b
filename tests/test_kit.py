"""What those need who carry on: workflows, hooks and bounds say what is true."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def pins_of(name):
    """Return {package: version} of a file of constraints."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / name).read_text(), re.M))


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("github-workflows", f".github/workflows/{p.name}") for p in WORKFLOWS),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/wish.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("citation-file-format", "CITATION.cff"),
    ],
)
def test_files_are_valid(schema, path):
    pytest.importorskip(
        "check_jsonschema", reason="no schemas here: pip install check-jsonschema"
    )
    # The schemas come with the package: nothing is downloaded.
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", f"vendor.{schema}", str(ROOT / path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_workflow():
    assert [path.name for path in WORKFLOWS] == ["ci.yml"]


def test_lowest_versions_are_the_bounds_of_setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = dict(config["options.extras_require"])
    extras.pop("docs")
    text = "\n".join([config["options"]["install_requires"], *extras.values()])
    bounds = dict(re.findall(r"^([\w-]+)>=([\w.]+)", text, re.M))
    assert pins_of("constraints-lowest.txt") == bounds


def test_hooks_have_the_versions_of_the_tested_set():
    text = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    used = dict(re.findall(r'\["([\w-]+)==([\w.]+)"\]', text))
    pins = pins_of("constraints.txt")
    assert used == {name: pins[name] for name in ("ruff", "check-jsonschema")}


def test_sdist_holds_what_its_tests_need(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: nobody knows what belongs to it")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    # In a copy: the build leaves files behind.
    for name in filter(None, listed):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [
            sys.executable,
            "-c",
            "from setuptools.build_meta import build_sdist; build_sdist('..')",
        ],
        cwd=tmp_path / "tree",
        check=True,
        capture_output=True,
        timeout=120,
    )
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        held = {name.partition("/")[2] for name in packed.getnames()}
    assert set(filter(None, listed)) - held == {".gitignore"}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_gpu_tests_fail_where_there_is_no_gpu():
    command = ["make", "-o", ".venv/.installed", "test-gpu"]
    done = subprocess.run(
        [*command, f"BIN={Path(sys.executable).parent}"],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "finds no CUDA device" in done.stderr
    assert "passed" not in done.stdout
