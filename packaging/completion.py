"""Completion of the table of commands for bash, zsh and fish.

All three offer the next word of a command, the options of the command at hand, and files or directories
where an option takes one.
"""

from man_pages import pages_of

HELP = {"name": "--help", "help": "Say what a command takes", "value": "", "required": False}


def options(args):
    return [arg for arg in args if arg["name"].startswith("-")]


def reads_file(args):
    return any(arg["value"] == "FILE" and not arg["name"].startswith("-") for arg in args)


def levels(table):
    """{path: (words that may follow, arguments)}; the options of every command are in all of them."""
    everywhere = [*table["globals"], HELP]
    out = {"": ({name: text for name, (text, _) in pages_of(table).items()}, everywhere)}
    for group, (_, commands) in pages_of(table).items():
        if group in table["groups"]:
            words = {command["path"].split()[1]: command["help"] for command in commands}
            out[group] = (words, everywhere)
        for command in commands:
            out[command["path"]] = ({}, command["args"] + everywhere)
    return out


def quoted(text):
    """For all three shells: fish knows one escape more than the others between these signs."""
    return "'" + text.replace("\\", "\\\\").replace("'", "'\\''") + "'"


# --- bash

BASH_HEAD = """# bash completion for kith

# Of the command $1: the words that may follow, its options by what they take, and whether it reads a file.
_kith_level() {
  words='' flags='' texts='' files='' directories='' operand=''
  case "$1" in
"""

BASH_TAIL = """    *) return 1 ;;
  esac
}

_kith() {
  local words flags texts files directories operand path='' takes='' word index
  local current="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  _kith_level ''
  for ((index = 1; index < COMP_CWORD; ++index)); do
    word="${COMP_WORDS[index]}"
    if [[ $word == = ]]; then
      continue
    elif [[ -n $takes ]]; then
      takes=''
    elif [[ $word == -* ]]; then
      case " $directories | $files | $texts " in
        *" $word "*"|"*"|"*) takes=directory ;;
        *"|"*" $word "*"|"*) takes=file ;;
        *" $word "*) takes=text ;;
      esac
    elif [[ " $words " == *" $word "* ]]; then
      path="${path:+$path }$word"
      _kith_level "$path"
    fi
  done
  [[ $current != = ]] || current=''
  case "$takes" in
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    text) ;;
    *)
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags $texts $files $directories" -- "$current")
        return
      elif [[ $operand != FILE ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
      fi
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
  esac
  compopt -o filenames 2>/dev/null
}

complete -F _kith kith
"""


def bash(table):
    out = BASH_HEAD
    for path, (words, args) in levels(table).items():
        kinds = {"flags": [], "texts": [], "files": [], "directories": []}
        for arg in options(args):
            kind = {"": "flags", "FILE": "files", "DIR": "directories"}.get(arg["value"], "texts")
            kinds[kind].append(arg["name"])
        out += f"    {quoted(path)})\n"
        for name, members in {"words": list(words), **kinds}.items():
            if members:
                out += f"      {name}={quoted(' '.join(members))}\n"
        if reads_file(args):
            out += "      operand=FILE\n"
        out += "      ;;\n"
    return out + BASH_TAIL


# --- zsh


def zsh_text(text):
    """Inside of a specification of _arguments or _describe."""
    for sign in ("\\", ":", "[", "]"):
        text = text.replace(sign, "\\" + sign)
    return text


def zsh_argument(arg):
    action = {"FILE": "_files", "DIR": "_files -/"}.get(arg["value"], " ")
    if not arg["name"].startswith("-"):
        return quoted(f"{'' if arg['required'] else ':'}:{zsh_text(arg['name'] + ', ' + arg['help'])}:{action}")
    repeated = "*" if arg["value"] == "NAME=TEXT" else ""
    value = f":{zsh_text(arg['value'])}:{action}" if arg["value"] else ""
    return quoted(f"{repeated}{arg['name']}[{zsh_text(arg['help'])}]{value}")


def zsh_function(path):
    return "_".join(("_kith", *path.split())).replace("-", "_")


def zsh(table):
    out = "#compdef kith\n"
    for path, (words, args) in levels(table).items():
        out += f"\n{zsh_function(path)}() {{\n"
        specs = [zsh_argument(arg) for arg in args]
        if not words:
            out += "  _arguments \\\n    " + " \\\n    ".join(specs) + "\n}\n"
            continue
        described = " \\\n    ".join(quoted(f"{zsh_text(word)}:{text}") for word, text in words.items())
        calls = "\n".join(f"      {word}) {zsh_function(f'{path} {word}')} ;;" for word in words)
        out += f"""  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
    {described}
  )
  _arguments -C \\
    {(' ' + chr(92) + chr(10) + '    ').join(specs)} \\
    ':command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $line[1] in
{calls}
    esac
    ;;
  esac
}}
"""
    return out + '\n_kith "$@"\n'


# --- fish

FISH_HEAD = """# fish completion for kith

# Whether the words typed so far name the command $argv: options and their values do not count.
function __kith_at
    set -l path
    set -l deep 1
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
        else if contains -- $word $__kith_valued
            set skip yes
        else if string match -q -- '-*' $word
            continue
        else if test (count $path) -lt $deep
            set -a path $word
            contains -- $word $__kith_groups; and set deep 2
        end
    end
    test "$path" = "$argv"
end

"""


def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(table):
    all_levels = levels(table)
    valued = sorted({arg["name"] for _, args in all_levels.values() for arg in options(args) if arg["value"]})
    flags = {arg["name"] for _, args in all_levels.values() for arg in options(args) if not arg["value"]}
    mixed = flags.intersection(valued)
    if mixed:
        raise SystemExit(f"with a value in one command and without in another: {', '.join(sorted(mixed))}")
    out = FISH_HEAD
    out += f"set -g __kith_groups {' '.join(table['groups'])}\n"
    out += f"set -g __kith_valued {' '.join(valued)}\n\n"
    out += "complete -c kith -f\n"
    for path, (words, args) in all_levels.items():
        at = f"complete -c kith -n {fish_text(('__kith_at ' + path).strip())}"
        for word, text in words.items():
            out += f"{at} -a {word} -d {fish_text(text)}\n"
        if reads_file(args):
            out += f"{at} -F\n"
        for arg in options(args):
            value = {"": "", "FILE": " -rF", "DIR": " -xa '(__fish_complete_directories)'"}.get(arg["value"], " -x")
            out += f"{at} -l {arg['name'][2:]}{value} -d {fish_text(arg['help'])}\n"
    return out
