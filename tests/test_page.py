"""The page as a file: one script and one style by hash, no request, no way out of the data, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from bptt.cli.explained import explanation
from bptt.render.html import page
from bptt.render.page import assemble

FOLDER = Path(str(resources.files("bptt.render.page")))
MODULES = (FOLDER / "modules.txt").read_text("utf-8").split()


def source(module: str) -> str:
    return (FOLDER / "js" / module).read_text("utf-8")


def test_the_page_without_its_data_has_at_most_150_kilobytes() -> None:
    assert len(assemble({}).encode()) <= 150_000


def test_every_module_is_joined_once_and_has_one_job() -> None:
    assert sorted(MODULES) == sorted(path.name for path in (FOLDER / "js").glob("*.js"))
    for name in MODULES:
        assert len(source(name).splitlines()) <= 300, name


def test_a_module_imports_only_from_modules_and_no_name_is_declared_twice() -> None:
    names: Counter[str] = Counter()
    for module in MODULES:
        text = source(module)
        for path in re.findall(r'from "(.*?)"', text):
            assert path.removeprefix("./") in MODULES, f"{module} imports {path}"
        names.update(re.findall(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", text, re.M))
    assert [name for name, count in names.items() if count > 1] == []


def test_what_is_imported_is_exported_there() -> None:
    exported = {
        module: set(re.findall(r"^export (?:async )?(?:function|const|let) (\w+)", source(module), re.M))
        for module in MODULES
    }
    for module in MODULES:
        for names, path in re.findall(r'^import \{(.*?)\} from "\./(.*?)"', source(module), re.M | re.S):
            missing = {name.strip() for name in names.split(",")} - exported[path]
            assert not missing, f"{module} imports {missing} from {path}"


def test_the_policy_allows_exactly_this_script_and_this_style() -> None:
    text = assemble({})
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, directive in (('script type="module"', "script-src"), ("style", "style-src")):
        element = re.search(rf"<{tag}>(.*?)</{tag.split()[0]}>", text, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(element.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_nothing_on_the_page_asks_a_network_or_needs_a_style_attribute() -> None:
    text = assemble({})
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)\S+", text) == []
    assert "url(http" not in text
    assert " style=" not in text
    for word in ("fetch(", "XMLHttpRequest", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                 "localStorage", "sessionStorage", "pushState", "replaceState"):  # fmt: skip
        assert word not in text, word


@pytest.mark.parametrize(
    "hostile", ["</script><img src=x onerror=alert(1)>", "<!--<script>", "\u2028 & ]]>", "{{script}}"]
)
def test_data_cannot_end_the_element_it_stands_in(hostile: str) -> None:
    text = assemble({"title": hostile})
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1]
    assert json.loads(data) == {"title": hostile}
    assert not set("<>&\u2028") & set(data)
    assert text.count("</script>") == assemble({"title": ""}).count("</script>")


def test_the_default_page_is_one_file_with_its_data() -> None:
    trace, title = explanation(None)
    text = page(trace, title=title)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert data["sizes"] == {"n_x": 3, "n_a": 4, "n_y": 2, "m": 5, "T_x": 6}
    assert [row["id"] for row in data["equations"]][-1] == "B11"


def test_the_modules_pass_the_type_checker() -> None:
    tsc = shutil.which("tsc")
    if tsc is None:
        pytest.skip("the type check is left out: tsc is not on the path (npm install --global typescript)")
    config = Path(__file__).parent / "browser" / "tsconfig.json"
    done = subprocess.run([tsc, "--project", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
