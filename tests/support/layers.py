"""Reads every #include under src/ against src/LAYERS."""
import re
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
TESTING = "testing"


def read_layers(path: Path) -> dict[str, int]:
    """The line each module stands on, lowest first."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {module: rank for rank, line in enumerate(lines) for module in line.split()}


def violation(layers: dict[str, int], source: Path, include: str) -> str | None:
    """What is wrong with `include` in `source` (relative to src/), or nothing."""
    module, target = source.parts[0], include.split("/")[0]
    is_test = source.stem.endswith(("_test", "_fixture"))
    if "/" not in include:
        return 'is written without its module: "module/header.h"'
    if target not in layers and target != TESTING:
        return f"names '{target}', which is not in LAYERS"
    if module != target and "detail" in include.split("/")[1:-1]:
        return f"reaches into what only {target} knows"
    if target == TESTING:
        return None if is_test or module == TESTING else "takes test support into production code"
    if module == TESTING or module == target:
        return None
    if module not in layers:
        return f"stands in '{module}', which is not in LAYERS"
    if layers[target] > layers[module]:
        return f"points up: {target} is above {module}"
    if layers[target] == layers[module]:
        return f"points sideways: {target} and {module} stand on one line"
    return None


def check(src: Path) -> list[str]:
    layers = read_layers(src / "LAYERS")
    found = []
    for source in sorted(path for suffix in ("*.h", "*.cpp") for path in src.rglob(suffix)):
        relative = source.relative_to(src)
        if len(relative.parts) < 2:
            found.append(f"{relative} stands outside every module")
            continue
        for include in INCLUDE.findall(source.read_text()):
            if wrong := violation(layers, relative, include):
                found.append(f"{relative}: \"{include}\" {wrong}")
    return found
