"""Manual pages (man(7)) of the table of commands: kith(1), and one for each word that may follow it."""

import re
import textwrap

LINE_COLUMNS = 78
# docs/cli.md has them from here.
EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "the command was not understood",
    3: "refused by policy",
    4: "not reachable",
    5: "waiting for people",
    6: "verification failed",
    7: "wrong state",
}

ABOUT = """People whom you trust give you back keys that you lost: you choose them, and how many of them are
enough. This program is your agent, theirs, the mediator that keeps mail and sealed backups, and the ledger that
shows who may act for an identity."""


def bold(text):
    return rf"\fB{roff(text)}\fR"


def italic(text):
    return rf"\fI{roff(text)}\fR"


def roff(text):
    """Literal text: neither a sign nor the start of a line means anything to the formatter."""
    for sign, escape in (("\\", r"\e"), ("-", r"\-"), ("'", r"\(aq"), ("^", r"\(ha"), ("~", r"\(ti"), ("`", r"\(ga")):
        text = text.replace(sign, escape)
    return r"\&" + text if text.startswith(".") else text


def prose(text):
    """A sentence of the table, in which `..` is what to type."""
    parts = re.split(r"`([^`]*)`", text)
    return "".join(bold(part) if odd % 2 else roff(part).replace(r"\-", "-") for odd, part in enumerate(parts))


def page(lines):
    """With lines of a length that fits into mail; requests stay as they are."""
    out = []
    for line in lines:
        out += [line] if line.startswith(".") else textwrap.wrap(
            line, LINE_COLUMNS, break_long_words=False, break_on_hyphens=False)
    return "\n".join(out) + "\n"


def title(name, version):
    """Without a date, so that the same sources give the same page on every day."""
    return f'.TH {roff(name.upper())} 1 "" "Kith {version}" "Kith"'


def argument(arg):
    if not arg["name"].startswith("-"):
        return italic(arg["name"])
    return bold(arg["name"]) + (" " + italic(arg["value"]) if arg["value"] else "")


def entries(args):
    for arg in args:
        needed = " (required)" if arg["required"] else ""
        yield from (".TP", argument(arg) + needed, prose(arg["help"]))


def synopsis(command):
    words = [bold(f"kith {command['path']}")]
    words += [argument(arg) if arg["required"] else f"[{argument(arg)}]"
              for arg in command["args"] if arg["required"] or not arg["name"].startswith("-")]
    optional = any(arg["name"].startswith("-") and not arg["required"] for arg in command["args"])
    return " ".join(words + ([f"[{italic('OPTION')}...]"] if optional else []))


def command_body(command):
    yield prose(command["help"]) + "."
    if command["question"]:
        yield from (".PP", f"Asks first, unless {bold('--yes')} is given: {prose(command['question'])}")
    yield from entries(command["args"])


def command_page(name, help_text, commands, version):
    """Of a command, or of a group of them."""
    paths = [command["path"] for command in commands]
    lines = [title(f"kith-{name}", version), ".SH NAME", rf"kith\-{roff(name)} \- {prose(help_text)}",
             ".SH SYNOPSIS"]
    for command in commands:
        lines += [synopsis(command), ".br"]
    lines[-1:] = [".SH DESCRIPTION"]
    if paths == [name]:
        lines += command_body(commands[0])
    else:
        lines.append(f"{prose(help_text)}.")
        if f"{name} show" in paths:
            lines.append(f"Without a further word: {bold(f'kith {name} show')}.")
        for command in commands:
            lines += [f".SS kith {roff(command['path'])}", *command_body(command)]
    return page([*lines, ".PP", "Every command also takes the options in", ".BR kith (1).",
                 ".SH SEE ALSO", ".BR kith (1)"])


def main_page(table, pages):
    lines = [title("kith", table["version"]), ".SH NAME", rf"kith \- {prose(table['about'])}", ".SH SYNOPSIS",
             f"{bold('kith')} {italic('COMMAND')} [{italic('OPTION')}...]", ".SH DESCRIPTION", ABOUT,
             ".SH COMMANDS", "Each has a page of its own."]
    for name, (help_text, _) in pages.items():
        lines += [".TP", rf"{bold(f'kith-{name}')}(1)", prose(help_text)]
    lines += [".SH OPTIONS", "Of every command:", *entries(table["globals"]),
              ".TP", f"{bold('-h')}, {bold('--help')}", "Say what a command takes", ".SH EXIT STATUS"]
    for code, meaning in EXIT_CODES.items():
        lines += [".TP", bold(str(code)), meaning]
    lines += [".SH FILES", ".TP", italic("~/.local/share/kith"),
              f"The wallet, unless {bold('$XDG_DATA_HOME')} or {bold('--home')} names another place.",
              ".TP", italic("kith.toml"), "In the wallet's directory: options of the running node.", ".SH SEE ALSO"]
    others = [f"{bold(f'kith-{name}')}(1)" for name in pages]
    return page([*lines, ", ".join(others)])


def pages_of(table):
    """{word: (help, commands)}, in the order of the table."""
    pages = {}
    for command in table["commands"]:
        name = command["path"].split()[0]
        help_text = table["groups"].get(name, command["help"])
        pages.setdefault(name, (help_text, []))[1].append(command)
    return pages


def man_pages(table):
    """{name of the file: text}"""
    pages = pages_of(table)
    out = {"kith.1": main_page(table, pages)}
    for name, (help_text, commands) in pages.items():
        out[f"kith-{name}.1"] = command_page(name, help_text, commands, table["version"])
    return out
