#!/usr/bin/env python3
"""Holds the tree to rules.toml without building it: include directions, third-party headers,
determinism of the core, coroutine forms, sizes.

First every example under bad/<rule>/ must be refused by exactly that rule, at exactly the lines that
end in a comment "refused"; then the tree itself is read. Below bad/<rule>/ a file lies at the path
where it pretends to be. Findings read "file:line: rule: why"; the exit code is 1 if there is one.
"""

import bisect
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CPP = (".cpp", ".hpp", ".def")
TEXT = CPP + (".py", ".sh", ".md", ".cmake", ".toml", ".json", ".txt", ".service", ".yml")
STANDARD_HEADERS = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp
csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception
execution filesystem format forward_list fstream functional future initializer_list iomanip ios iosfwd
iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric
optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view strstream
syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
valarray variant vector version assert.h errno.h stdint.h stdio.h stdlib.h string.h time.h math.h
""".split())


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    why: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.why}"


def glob_regex(pattern):
    out = ""
    for part in re.findall(r"\*\*/?|\*|\{[^}]*\}|[^*{]+", pattern):
        if part == "**/":
            out += "(?:.*/)?"
        elif part == "**":
            out += ".*"
        elif part == "*":
            out += "[^/]*"
        elif part[0] == "{":
            out += "(?:" + "|".join(map(re.escape, part[1:-1].split(","))) + ")"
        else:
            out += re.escape(part)
    return re.compile(out + r"\Z")


def matches(path, patterns):
    return any(glob_regex(pattern).match(path) for pattern in patterns)


LITERALS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>\bR"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9A-Za-z_])'(?:\\[^'\n]+|\\'|[^'\\\n])')""",
    re.S | re.X,
)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


class Source:
    """One file: its text, and as C++ the code with comments and literals blanked out in place."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.is_cpp = path.endswith((".cpp", ".hpp"))
        self.raw_lines = set()
        if self.is_cpp:
            self.uncommented = LITERALS.sub(self._keep_literals, text)
            self.code = LITERALS.sub(self._hide, text)

    @staticmethod
    def _keep_literals(match):
        return blank(match[0]) if match["comment"] is not None else match[0]

    def _hide(self, match):
        if match["comment"] is not None:
            return blank(match[0])
        if match["raw"] is not None:
            self.raw_lines.update(range(self.line_of(match.start()), self.line_of(match.end()) + 1))
        if self.text[self.text.rfind("\n", 0, match.start()) + 1:].lstrip().startswith("#include"):
            return match[0]
        return match[0][0] + blank(match[0][1:-1]) + match[0][-1]

    def line_of(self, offset):
        return bisect.bisect_right(self.starts, offset)


# --- Includes -----------------------------------------------------------------------------------

def includes_of(source):
    pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.M)
    for match in pattern.finditer(source.uncommented):
        yield source.line_of(match.start(1) if match[1] else match.start(2)), match[1], match[2]


def unit_of(rules, path):
    return next((unit for unit in rules["unit"] if matches(path, unit["paths"])), None)


def check_includes(rules, source):
    unit = unit_of(rules, source.path)
    if unit is None:
        return
    folders = rules["files"]["cpp_folders"]
    for line, quoted, angled in includes_of(source):
        target = quoted or angled
        if quoted and target.split("/")[0] not in folders:
            yield line, "include-root", f'write the path from the root of the tree, not "{target}"'
        elif target.split("/")[0] in folders and "/" in target:
            target_unit = unit_of(rules, target)
            if target_unit["name"] != unit["name"] and target_unit["name"] not in unit["may"]:
                yield (line, "include-direction",
                       f"{unit['name']} may not include {target_unit['name']} ({target})")
        elif target not in STANDARD_HEADERS:
            row = next((row for row in rules["third_party"]
                        if any(target.startswith(header) for header in row["headers"])), None)
            if row is None:
                yield line, "third-party", f"<{target}> has no row in rules.toml that says who may use it"
            elif not matches(source.path, row["paths"]):
                yield line, "third-party", f"<{target}>: {row['why']}"


def check_header_form(_rules, source, exists):
    if source.path.endswith(".hpp") and not re.search(r"^#pragma once\s*$", source.code, re.M):
        yield 1, "pragma-once", "a header starts with #pragma once"
    if source.path.endswith(".cpp"):
        own = source.path[:-4] + ".hpp"
        first = next(iter(includes_of(source)), None)
        if first is not None and exists(own) and first[1] != own:
            yield first[0], "own-header-first", f'include "{own}" first, so that it stands on its own'


# --- Words ---------------------------------------------------------------------------------------

def is_core(rules, path):
    if path.split("/")[0] in ("tests", "bench"):
        return False
    return path == "node/storage/store.hpp" or not matches(path, rules["core"]["outside"])


def check_banned(rules, source):
    for row in rules["banned"]:
        in_scope = (is_core(rules, source.path) if row["where"] == "core"
                    else matches(source.path, [row["where"]]))
        if in_scope:
            for match in re.finditer(row["pattern"], source.code):
                word = " ".join(match[0].split())
                yield source.line_of(match.start()), row["rule"], f"`{word}`: {row['why']}"


def check_encoding(_rules, source):
    for number, line in enumerate(source.lines, 1):
        if any("\udc80" <= char <= "\udcff" for char in line):
            yield number, "encoding", "text is UTF-8; does a generated file lie in the tree?"
            return


def check_unfinished(_rules, source):
    for number, line in enumerate(source.lines, 1):
        match = re.search(r"\b(TODO|FIXME|XXX)\b", line)
        if match:
            yield number, "unfinished", f"{match[0]}: finish it now or leave it out"


# --- Coroutines ----------------------------------------------------------------------------------

CLOSER = {"(": ")", "[": "]", "{": "}"}


def closing(code, start):
    """Offset of the bracket that closes the one at `start`, or the end of the code."""
    depth = 0
    for match in re.compile(r"[()\[\]{}]").finditer(code, start):
        depth += 1 if match[0] in CLOSER else -1
        if depth == 0:
            return match.start()
    return len(code)


def statement_before(code, offset):
    """Text from the start of the statement to `offset`; None if an open bracket lies between."""
    depth = 0
    for at in range(offset - 1, -1, -1):
        char = code[at]
        if char in ")]":
            depth += 1
        elif char in "([":
            depth -= 1
            if depth < 0:
                return None
        elif char in ";{}" and depth == 0:
            return code[at + 1:offset]
    return code[:offset]


def without_control(text):
    """Drops leading labels, `else`, `if (...)`, `for (...)` and `while (...)` from a statement."""
    while True:
        text = re.sub(r"^\s*(?:case\s[^:]+:|default\s*:)(?!:)", "", text).strip()
        match = re.match(r"(?:else\b|do\b|(?:if|for|while)\s*(?:constexpr\s*)?(\())", text)
        if not match:
            return text
        text = text[closing(text, match.start(1)) + 1:] if match[1] else text[match.end():]


DECLARATION = re.compile(r"[A-Za-z_][\w:<>,&*\s]*[\s&*>](?:\w+|\[[\w,\s]+\])\s*=\Z")


def awaited_call(code, start):
    """None if a plain call `f(...)` ending in `;` stands at `start`, else what is wrong with it."""
    head = re.compile(r"\s*(?:boost::)?(?:asio::)?this_coro::\w+\s*;").match(code, start)
    if head:
        return None
    at, called = start, False
    step = re.compile(r"\s*(?:::|->|\.|\w+|<[\w:,\s*&]*>)")
    while True:
        bracket = re.compile(r"\s*[(\[]").match(code, at)
        if bracket and at > start:
            end = closing(code, bracket.end() - 1)
            if "{" in code[at:end]:
                return "arguments of an awaited call are names or moves of names: no braces, no lambdas"
            called, at = True, end + 1
            continue
        match = step.match(code, at)
        if not match:
            break
        at = match.end()
    if not called or not re.compile(r"\s*;").match(code, at):
        return "await a plain call f(...) and nothing else in the statement"
    return None


def check_coroutines(_rules, source):
    for match in re.finditer(r"\bco_await\b", source.code):
        line = source.line_of(match.start())
        before = statement_before(source.code, match.start())
        if before is None:
            yield line, "coroutine", "no co_await inside brackets: GCC 12 miscompiles it; name it first"
            continue
        before = without_control(before)
        if before not in ("", "co_return") and not DECLARATION.match(before):
            yield (line, "coroutine", "only `co_await f(...);`, `T name = co_await f(...);` and "
                   "`co_return co_await f(...);` are safe with GCC 12")
            continue
        wrong = awaited_call(source.code, match.end())
        if wrong:
            yield line, "coroutine", wrong


# --- Two draws in one argument list ---------------------------------------------------------------

DRAW = re.compile(
    r"(?P<who>[\w.>\-]*?)(?:\.|->)(?:(?:fill|below|generate\w*|u64)\s*(?P<a>\()|(?:bytes|secret)\s*(?P<b>\()(?!\s*\)))"
    r"|(?<![\w.>:])(?:random_\w+|generate\w*)\s*(?P<c>\()")
NOT_CALLS = {"if", "while", "for", "switch", "return", "catch", "co_return"}


def check_draws(_rules, source):
    code = source.code
    draws = []
    for match in DRAW.finditer(code):
        open_at = next(match.start(group) for group in "abc" if match[group])
        draws.append((match.start(), open_at, closing(code, open_at), match["who"] or ""))
    if len(draws) < 2:
        return
    reported = set()
    for match in re.finditer(r"(\w+|[>\])])\s*\(", code):
        if match[1] in NOT_CALLS:
            continue
        open_at, end = match.end() - 1, closing(code, match.end() - 1)
        inside = [draw for draw in draws if open_at < draw[0] < end]
        if len(inside) < 2:
            continue
        # What stands in braces (a lambda, an initialiser list) has an order of its own.
        braces = []
        for brace in re.finditer(r"\{", code[open_at:end]):
            braces.append((open_at + brace.start(), closing(code, open_at + brace.start())))
        inside = [draw for draw in inside if not any(a < draw[0] < b for a, b in braces)]
        for first, second in zip(inside, inside[1:]):
            nested = first[1] < second[0] < first[2]
            # Tests compare streams of their own; there only draws from the same one matter.
            other_stream = source.path.startswith("tests/") and first[3] != second[3]
            line = source.line_of(second[0])
            if not nested and not other_stream and line not in reported:
                reported.add(line)
                yield line, "draw-order", "two random draws in one argument list: C++ leaves their order open"


# --- Sizes ---------------------------------------------------------------------------------------

def functions_of(source):
    """(name, first line, lines) of each function body that no other function holds."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda match: blank(match[0]), source.code, flags=re.M)
    scopes, header_from, parens = [], 0, 0
    for match in re.compile(r"[{}();]").finditer(code):
        char, at = match[0], match.start()
        in_function = bool(scopes) and scopes[-1][0] in ("function", "expression")
        if char in "()":
            parens += 0 if in_function else (1 if char == "(" else -1)
        elif char == "{":
            header = code[header_from:at]
            if in_function or parens > 0 or not code[at - 1].isspace() or header.rstrip().endswith("="):
                scopes.append(("expression", 0, ""))
            elif ")" in header and not re.match(r"\s*(?:namespace|enum)\b", header):
                name = re.search(r"([\w~:]+)\s*(\([^()]*\))?", header[:header.index("(") + 1])
                start = header_from + len(header) - len(header.lstrip())
                label = header[:header.index("(")].split()[-1] if name else "?"
                arguments = re.match(r"\(([^()]*)\)", header[header.index("("):])
                if label in ("TEST", "TEST_F", "TEST_P") and arguments:
                    label = arguments[1].replace(", ", ".")
                scopes.append(("function", source.line_of(start), label))
                header_from = at + 1
            else:
                scopes.append(("scope", 0, ""))
                header_from = at + 1
        elif char == "}" and scopes:
            kind, first, name = scopes.pop()
            if kind == "function":
                yield name, first, source.line_of(at) - first + 1
            if kind != "expression":
                header_from = at + 1
        elif char == ";" and not in_function and parens == 0:
            header_from = at + 1


def check_sizes(rules, source):
    size = rules["size"]
    for number, line in enumerate(source.lines, 1):
        if len(line) > size["line_columns_max"] and number not in source.raw_lines:
            yield number, "line-length", f"{len(line)} columns, at most {size['line_columns_max']}"
    lines = len(source.lines) - 1
    if lines > size["file_lines_max"]:
        yield 1, "file-size", f"{lines} lines, at most {size['file_lines_max']}: split by what changes together"
    for name, first, count in functions_of(source):
        if count > size["function_lines_max"]:
            yield first, "function-size", f"{name} has {count} lines, at most {size['function_lines_max']}"


def size_report(rules, sources):
    size = rules["size"]
    for source in sources:
        if not source.is_cpp:
            continue
        lines = len(source.lines) - 1
        if lines > size["file_lines_report"]:
            yield f"{source.path}: {lines} lines"
        for name, first, count in functions_of(source):
            if count > size["function_lines_report"]:
                yield f"{source.path}:{first}: {name}: {count} lines"


# --- Running -------------------------------------------------------------------------------------

def check_place(rules, source):
    folder = source.path.split("/")[0]
    if folder not in rules["files"]["cpp_folders"]:
        yield 1, "folder", "C++ lives in " + ", ".join(rules["files"]["cpp_folders"])


def check(rules, source, exists, used=None):
    """Findings of one file; allow rows that excused something are added to `used`."""
    found = [*check_encoding(rules, source), *check_unfinished(rules, source)]
    if source.is_cpp:
        for checker in (check_place, check_includes, check_banned, check_coroutines, check_draws, check_sizes):
            found += checker(rules, source)
        found += check_header_form(rules, source, exists)
    allowed = {row["rule"] for row in rules["allow"] if row["path"] == source.path}
    if used is not None:
        used |= {(source.path, row[1]) for row in found if row[1] in allowed}
    return [Finding(source.path, *row) for row in sorted(set(found)) if row[1] not in allowed]


ALL_RULES = {"folder", "include-root", "include-direction", "third-party", "pragma-once",
             "own-header-first", "encoding", "unfinished", "coroutine", "draw-order", "line-length", "file-size",
             "function-size"}


def read(path):
    """The file's text; bytes that are not UTF-8 come out as lone surrogates (see check_encoding)."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def expand(text):
    """A line "// repeat N" repeats the line after it, so that size examples stay short."""
    return re.sub(r"^[ \t]*// repeat (\d+)\n([^\n]*\n)", lambda match: match[2] * int(match[1]), text,
                  flags=re.M)


def try_examples(rules):
    """Complaints about rules that do not refuse what they must, or refuse more."""
    names = ALL_RULES | {row["rule"] for row in rules["banned"]}
    folders = {folder.name for folder in (HERE / "bad").iterdir()}
    for name in sorted(names ^ folders):
        yield f"tests/tidy/bad/{name}: " + ("no such rule" if name in folders else "rule has no example")
    for rule in sorted(names & folders):
        base = HERE / "bad" / rule
        wanted, got = set(), set()
        for file in sorted(path for path in base.rglob("*") if path.is_file()):
            source = Source(str(file.relative_to(base)), expand(read(file)))
            wanted |= {(source.path, number, rule) for number, line in enumerate(source.lines, 1)
                       if re.search(r"(?://|#|<!--) refused\b", line)}
            got |= {finding[:3] for finding in check(rules, source, lambda path: (base / path).exists())}
        if not wanted:
            yield f"tests/tidy/bad/{rule}: no line is marked `refused`"
        for path, line, _ in sorted(wanted - got):
            yield f"tests/tidy/bad/{rule}/{path}:{line}: {rule} should refuse this line and does not"
        for path, line, other in sorted(got - wanted):
            yield f"tests/tidy/bad/{rule}/{path}:{line}: {other} refuses this line and should not"


def tree_sources(rules, root):
    for path in sorted(root.iterdir()):
        if path.is_file() and (path.suffix in TEXT or path.suffix == ""):
            yield path
    # Every folder with C++ in it is read, so that one nobody thought of is seen.
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        known = folder.name in rules["files"]["cpp_folders"] + rules["files"]["other_folders"]
        if folder.name.startswith((".git", "build", ".cache")):
            continue
        for path in sorted(folder.rglob("*")):
            if path.is_file() and (path.suffix in (TEXT if known else CPP) or folder.name == ".ci"):
                yield path


def main():
    rules = tomllib.loads((HERE / "rules.toml").read_text(encoding="utf-8"))
    complaints = list(try_examples(rules))
    sources = []
    for path in tree_sources(rules, ROOT):
        name = path.relative_to(ROOT).as_posix()
        if not matches(name, rules["files"]["skip"]):
            sources.append(Source(name, read(path)))
    used = set()
    findings = [finding for source in sources
                for finding in check(rules, source, lambda name: (ROOT / name).exists(), used)]
    complaints += [f"tests/tidy/rules.toml: allow: {row['path']} needs no exception from {row['rule']}"
                   for row in rules["allow"] if (row["path"], row["rule"]) not in used]
    print(*complaints, *findings, sep="\n", end="\n" if complaints or findings else "")
    report = list(size_report(rules, sources))
    if report:
        print("Large, worth a second look (not a failure):", *report, sep="\n  ")
    cpp = sum(source.is_cpp for source in sources)
    print(f"tidy: {cpp} C++ files and {len(sources) - cpp} others read, "
          f"{len(complaints) + len(findings)} findings")
    return 1 if complaints or findings else 0


if __name__ == "__main__":
    sys.exit(main())
